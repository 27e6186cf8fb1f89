from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure

from brainarch.figures import style

DPI = 90.0
Box = tuple[str, float, float, float, float]


@pytest.fixture
def drawn_texts(monkeypatch):
    """Return a function that draws a figure and lists every upright or vertical text with its box.

    Texts are recorded where the renderer is told to draw them, so ticks outside the view and other
    texts that never reach the page are not in the list.
    """

    def record(figure: Figure) -> list[Box]:
        boxes: list[Box] = []
        original = RendererAgg.draw_text

        def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
            width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
            if s.strip() and angle in (0, 90):
                ascent = height - descent
                if angle == 0:
                    boxes.append((s, x, y - ascent, x + width, y + descent))
                else:
                    boxes.append((s, x - ascent, y - width, x + descent, y))
            return original(self, gc, x, y, s, prop, angle, ismath, mtext)

        monkeypatch.setattr(RendererAgg, "draw_text", draw_text)
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        style.styled(canvas.draw)()
        return boxes

    return record


@pytest.fixture
def assert_readable(drawn_texts):
    """Return a function that fails where texts of a figure overlap, or do not fit on one page."""

    def check(figure: Figure) -> None:
        boxes = drawn_texts(figure)
        assert boxes
        width, height = figure.get_size_inches() * DPI
        page = style.PAGE_MM + 2 * style.MARGIN_MM
        assert figure.get_figheight() * style.MM_PER_INCH <= page + 1e-6, "taller than a page"
        for text, left, top, right, bottom in boxes:
            inside = left >= -1 and top >= -1 and right <= width + 1 and bottom <= height + 1
            assert inside, f"{text!r} leaves the page"
        for index, (text, left, top, right, bottom) in enumerate(boxes):
            for other, left2, top2, right2, bottom2 in boxes[index + 1 :]:
                across = min(right, right2) - max(left, left2)
                down = min(bottom, bottom2) - max(top, top2)
                assert across <= 1 or down <= 1.5, f"{text!r} and {other!r} overlap"

    return check
