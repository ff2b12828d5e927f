"""Names beside points: none on another, on a point, or outside."""

from __future__ import annotations

import itertools

from hasim.report.naming import name_points
from hasim.report.picture import picture


def test_names_of_a_crowd_do_not_overlap() -> None:
    figure = picture(8, 5)
    axes = figure.add_subplot()
    crowd = [(100.0 * 1.02**n, 7.0 + 0.1 * (n % 3)) for n in range(10)]
    points = [*crowd, (1.0, 1.0), (3000.0, 40.0)]
    axes.plot(*zip(*points, strict=True), "o")
    axes.set_xscale("log")
    names = [(point, f"interval {n}s, fall 2, messages") for n, point in enumerate(points)]
    placed = name_points(figure, axes, names, points)
    assert len(placed) >= 8
    assert placed[0] == names[0][1]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) == len(placed)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    inside = axes.get_window_extent()
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        for pixel in map(axes.transData.transform, points):
            assert not box.contains(*pixel)


def test_without_room_a_name_is_left_out() -> None:
    figure = picture(1, 1)
    axes = figure.add_subplot()
    axes.plot([1.0], [1.0], "o")
    assert name_points(figure, axes, [((1.0, 1.0), "a name longer than all")], [(1.0, 1.0)]) == []
