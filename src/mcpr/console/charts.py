"""Small pictures drawn on the server, as paths of SVG: pages are useful without scripts."""

from collections.abc import Sequence

WIDTH, HEIGHT = 120, 28
_MARGIN = 2


def line(values: Sequence[float | None]) -> str:
    """The path of a line through values at equal distances; a gap where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    top = max(known) or 1
    step = WIDTH / max(1, len(values) - 1)
    parts = []
    is_down = False
    for at, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        y = HEIGHT - _MARGIN - value / top * (HEIGHT - 2 * _MARGIN)
        parts.append(f"{'L' if is_down else 'M'}{at * step:.1f} {y:.1f}")
        if not is_down:
            # A point alone is seen, too.
            parts.append("h.1")
        is_down = True
    return "".join(parts)
