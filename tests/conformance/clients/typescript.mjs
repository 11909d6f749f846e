// Tells the story of a client with the official TypeScript SDK, one JSON line for each step.
//
//     node typescript.mjs v1|v2 URL legacy|auto|2026-07-28      (v1 speaks the older revisions only)
//
// The steps and their words are those of python_sdk.py.

const WATCHED_URI = "test://watched-resource";
const CLIENT_INFO = { name: "story-typescript", version: "1.2.3" };
const CAPABILITIES = { sampling: {}, elicitation: {} };

/** What the two versions call differently: version → [client, transport, on(method, handler)]. */
const VERSIONS = {
  async v1(url) {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport: Transport } = await import(
      "@modelcontextprotocol/sdk/client/streamableHttp.js"
    );
    const types = await import("@modelcontextprotocol/sdk/types.js");
    const client = new Client(CLIENT_INFO, { capabilities: CAPABILITIES });
    client.setRequestHandler(types.ElicitRequestSchema, elicit);
    client.setRequestHandler(types.CreateMessageRequestSchema, sample);
    client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, updated);
    const transport = new Transport(new URL(url));
    return {
      client,
      transport,
      call: (params, options) => client.callTool(params, undefined, options),
      revision: () => transport.protocolVersion,
    };
  },
  async v2(url, mode) {
    const { Client, StreamableHTTPClientTransport: Transport } = await import(
      "@modelcontextprotocol/client"
    );
    const negotiation = ["legacy", "auto"].includes(mode) ? mode : { pin: mode };
    const client = new Client(CLIENT_INFO, {
      capabilities: CAPABILITIES,
      versionNegotiation: { mode: negotiation },
    });
    client.setRequestHandler("elicitation/create", elicit);
    client.setRequestHandler("sampling/createMessage", sample);
    client.setNotificationHandler("notifications/resources/updated", updated);
    return {
      client,
      transport: new Transport(new URL(url)),
      call: (params, options) => client.callTool(params, options),
      revision: () => client.getNegotiatedProtocolVersion(),
    };
  },
};

let hearUpdate;
const heardUpdate = new Promise((resolve) => (hearUpdate = resolve));

function updated(notification) {
  hearUpdate(notification.params.uri);
}

function elicit(request) {
  const names = Object.keys(request.params.requestedSchema.properties).sort();
  return { action: "accept", content: Object.fromEntries(names.map((name) => [name, "Ada"])) };
}

function sample(request) {
  const asked = [request.params.messages[0].content].flat()[0];
  return {
    role: "assistant",
    content: { type: "text", text: `my model heard: ${asked.text}` },
    model: "none",
  };
}

const texts = (result) => result.content.filter((one) => one.type === "text").map((one) => one.text);

async function code(promise) {
  try {
    await promise;
  } catch (error) {
    return error.code;
  }
  return null;
}

/** The steps in their order; each gets {client, call, isModern}. */
const STEPS = {
  async connected({ client, revision }) {
    const info = client.getServerVersion();
    return [info?.name ?? null, info?.version ?? null, revision()];
  },
  async lists({ client }) {
    return {
      tools: (await client.listTools()).tools.map((one) => one.name),
      resources: (await client.listResources()).resources.map((one) => one.uri),
      templates: (await client.listResourceTemplates()).resourceTemplates.map(
        (one) => one.uriTemplate,
      ),
      prompts: (await client.listPrompts()).prompts.map((one) => one.name),
    };
  },
  async text({ call }) {
    return texts(await call({ name: "test_simple_text" }));
  },
  async progress({ call }) {
    const heard = [];
    const onprogress = ({ progress }) => heard.push(progress);
    return [heard, texts(await call({ name: "test_tool_with_progress" }, { onprogress }))];
  },
  async failing({ call }) {
    const result = await call({ name: "test_error_handling" });
    return [result.isError, texts(result), await code(call({ name: "no_such_tool" }))];
  },
  async resource({ client }) {
    const contents = [];
    for (const uri of ["test://static-text", "test://template/7/data"]) {
      const read = await client.readResource({ uri });
      contents.push(...read.contents.map((one) => [one.uri, one.mimeType, one.text]));
    }
    return [...contents, await code(client.readResource({ uri: "test://nowhere" }))];
  },
  async prompt({ client }) {
    const result = await client.getPrompt({
      name: "test_prompt_with_arguments",
      arguments: { arg1: "one", arg2: "two" },
    });
    return result.messages.map((one) => one.content.text);
  },
  async completion({ client }) {
    const result = await client.complete({
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: "walk" },
    });
    return result.completion.values;
  },
  async asked({ call, isModern }) {
    if (isModern) {
      return [
        texts(await call({ name: "test_input_required_result_elicitation" })),
        texts(await call({ name: "test_input_required_result_sampling" })),
        texts(await call({ name: "test_input_required_result_multi_round" })),
      ];
    }
    return [
      texts(await call({ name: "test_elicitation", arguments: { message: "who?" } })),
      texts(await call({ name: "test_sampling", arguments: { prompt: "what?" } })),
    ];
  },
  async reconnection({ call }) {
    return texts(await call({ name: "test_reconnection" }));
  },
  async subscription({ client, call, isModern }) {
    const change = { name: "test_trigger_resource_change" };
    if (isModern) {
      const subscription = await client.listen({ resourceSubscriptions: [WATCHED_URI] });
      await call(change);
      const told = await heardUpdate;
      await subscription.close();
      return [told, await subscription.closed];
    }
    await client.subscribeResource({ uri: WATCHED_URI });
    let told;
    while (told === undefined) {
      // Until the stream that carries it is open, the notification goes nowhere.
      await call(change);
      told = await Promise.race([heardUpdate, new Promise((done) => setTimeout(done, 500))]);
    }
    await client.unsubscribeResource({ uri: WATCHED_URI });
    return [told, "unsubscribed"];
  },
  async cancellation({ call }) {
    const giveUp = new AbortController();
    const onprogress = () => giveUp.abort();
    try {
      await call({ name: "test_wait" }, { onprogress, signal: giveUp.signal });
    } catch {
      return giveUp.signal.aborted;
    }
    return false;
  },
};

const [version, url, mode] = process.argv.slice(2);
const story = await VERSIONS[version](url, mode);
await story.client.connect(story.transport);
story.isModern = story.revision() >= "2026";
for (const [name, step] of Object.entries(STEPS)) {
  console.log(JSON.stringify([name, await step(story)]));
}
if (!story.isModern) await story.transport.terminateSession();
await story.client.close();
console.log('["closed", null]');
