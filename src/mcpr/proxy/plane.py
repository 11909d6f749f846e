"""The data plane as the settings have it: made at the start, adopted anew by a reload.

What a reload can change of it is changed for requests that come from then on; what is under way
goes on as it began, on the connections it has.
"""

import asyncio
import ssl

from mcpr.dataplane import Address, Listener, Pool
from mcpr.pipeline.exchange import Recording
from mcpr.pipeline.guard import Guard
from mcpr.pipeline.identity import SessionNames
from mcpr.proxy.handler import ProxyHandler
from mcpr.settings import RunSettings, UpstreamUrl


def address_of(upstream: UpstreamUrl) -> Address:
    """Where the upstream listens. Reads the certificates of this machine: it may take a while."""
    tls = ssl.create_default_context() if upstream.scheme == "https" else None
    return Address(upstream.host, upstream.port, tls)


def make_plane(
    settings: RunSettings,
    recording: Recording,
    names: SessionNames,
    loop: asyncio.AbstractEventLoop,
) -> Listener:
    """The listener, and all that is behind it."""
    recording.names = names
    handler = _handler(settings, recording, names)
    handler.pool = Pool(address_of(settings.upstream), settings.limits, handler, loop)
    return Listener(handler, handler.pool, settings.limits, loop)


def adopt(
    listener: Listener,
    settings: RunSettings,
    address: Address,
    recording: Recording,
    names: SessionNames,
) -> None:
    """Have these settings from the next request on."""
    for pool in listener.pools:
        pool.flush()  # What is over is recorded as it was.
    recording.server = settings.name
    recording.keep_detail = settings.detail
    recording.csp = settings.csp
    recording.common.change(settings.name, keep_detail=settings.detail)
    handler = _handler(settings, recording, names)
    pool = listener.pools[0]
    if (pool.address.host, pool.address.port) == (address.host, address.port) and (
        (pool.address.tls is None) == (address.tls is None)
    ):
        pool.adopt(handler, settings.limits)
    else:
        pool = Pool(address, settings.limits, handler, listener.loop)
    handler.pool = pool
    listener.adopt(handler, pool, settings.limits)


def _handler(settings: RunSettings, recording: Recording, names: SessionNames) -> ProxyHandler:
    return ProxyHandler(
        recording,
        Guard(settings.allowed_hosts, settings.is_loopback, settings.model.cors.rules()),
        names,
        settings.upstream.authority,
        settings.limits.first_byte_seconds,
        traces=settings.model.otlp.endpoint is not None,
    )
