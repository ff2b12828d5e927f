"""``like: other-master`` in a list of masters."""

from __future__ import annotations

from typing import Any

from hasim.settings.validation import Where, nearest

Origins = dict[Where, Where]
"""The place of a copied setting -> the place where it was written."""


def with_likes(masters: Any) -> tuple[Any, Origins, list[tuple[Where, str]]]:
    """The masters with every `like` replaced by copies of the settings it names.

    What a master says itself replaces the copy, setting by setting; a copied
    master may itself be like another. Also returns where the copies come from,
    and the (where, message) of what is wrong. What is no list of mappings is
    left to validation.
    """
    if not isinstance(masters, list):
        return masters, {}, []
    resolver = _Resolver(masters)
    return [resolver.full(i, ()) for i in range(len(masters))], resolver.origins, resolver.found


class _Resolver:
    def __init__(self, masters: list[Any]) -> None:
        self.masters = masters
        self.ids = [str(m.get("id")) if isinstance(m, dict) else "" for m in masters]
        self.origins: Origins = {}
        self.found: list[tuple[Where, str]] = []

    def full(self, index: int, asked: tuple[int, ...]) -> Any:
        """Master `index` without `like`; `asked` are the masters that wait for it."""
        master = self.masters[index]
        if not isinstance(master, dict) or "like" not in master:
            return master
        own = {key: value for key, value in master.items() if key != "like"}
        other = self._index_of(master["like"])
        if other is None or other in (index, *asked):
            self._complain(index, other, asked)
            return own
        copied = self.full(other, (*asked, index))
        if not isinstance(copied, dict):
            return own
        for key in copied:
            if key not in own and not asked:
                self.origins["masters", index, key] = self._written(other, key)
        return {**{k: v for k, v in copied.items() if k != "id"}, **own}

    def _written(self, index: int, key: str) -> Where:
        """Where the setting of master `index` was written: there, or at the one it is like."""
        for _ in self.masters:
            other = self._index_of(self.masters[index].get("like"))
            if key in self.masters[index] or other is None:
                break
            index = other
        return ("masters", index, key)

    def _index_of(self, name: Any) -> int | None:
        return self.ids.index(name) if isinstance(name, str) and name in self.ids else None

    def _complain(self, index: int, other: int | None, asked: tuple[int, ...]) -> None:
        """Say what is wrong once: an unknown name where it stands, a circle where it closes."""
        name = self.masters[index]["like"]
        if other is not None and other == (asked[0] if asked else index):
            circle = " -> ".join(self.ids[i] for i in (*asked, index, other))
            root = asked[0] if asked else index
            self.found.append((("masters", root, "like"), f"goes round in a circle: {circle}"))
        elif other is None and not asked:
            message = f"no master {name!r}{nearest(str(name), [i for i in self.ids if i])}"
            self.found.append((("masters", index, "like"), message))
