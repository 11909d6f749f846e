-- wrk's side of benches/calls.py:  wrk -t1 ... -s calls.lua URL -- TABLE MODE FIRST_ID
--
-- TABLE is the file that calls.py wrote. MODE is "seen" (the heads repeat) or "traceparent"
-- (every request has a header that was never seen before). One thread only: a second one would
-- send the same ids again.

local pieces, count, turn = nil, 0, 0
local is_fresh, next_id, traces = false, 0, 0
local trace_prefix = ""

function init(args)
   pieces = dofile(args[1])
   count = #pieces
   is_fresh = args[2] == "traceparent"
   next_id = tonumber(args[3])
   -- Runs against one proxy must not share a trace: the first id and the time tell them apart.
   trace_prefix = string.format("traceparent: 00-%08x%016x", next_id, os.time())
   if not is_fresh then
      for i = 1, count do
         pieces[i] = pieces[i][1] .. pieces[i][2]
      end
   end
end

function request()
   turn = turn % count + 1
   next_id = next_id + 1
   if is_fresh then
      traces = traces + 1
      local piece = pieces[turn]
      return string.format("%s%s%08x-%016x-01\r\n%s%d}",
         piece[1], trace_prefix, traces, traces, piece[2], next_id)
   end
   return pieces[turn] .. next_id .. "}"
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,'
         .. '"status":%d,"timeout":%d,"p50_us":%.0f,"p90_us":%.0f,"p99_us":%.0f}\n',
      summary.requests, summary.duration, summary.bytes, errors.connect, errors.read,
      errors.write, errors.status, errors.timeout,
      latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
