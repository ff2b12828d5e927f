"""``like: other-master`` in a list of masters."""

from __future__ import annotations

from typing import Any

from hasim.settings.validation import Where, nearest

Origins = dict[Where, Where]
"""The place of a copied setting -> the place where it was written."""


def with_likes(data: dict[str, Any]) -> tuple[dict[str, Any], Origins, list[tuple[Where, str]]]:
    """A scenario with every `like` of a master replaced by copies of the settings it names.

    What a master says itself replaces the copy, setting by setting; a copied
    master may itself be like another, of the same tier. Also returns where the copies come
    from, and the (where, message) of what is wrong. What is no list of mappings is
    left to validation.
    """
    made, origins, found = dict(data), Origins(), []
    parts: list[tuple[Where, dict[str, Any]]] = [((), made)]
    if isinstance(data.get("tiers"), list):
        made["tiers"] = [dict(t) if isinstance(t, dict) else t for t in data["tiers"]]
        parts += [(("tiers", i), t) for i, t in enumerate(made["tiers"]) if isinstance(t, dict)]
    for at, part in parts:
        if isinstance(part.get("masters"), list):
            resolver = _Resolver(part["masters"], (*at, "masters"))
            part["masters"] = [resolver.full(i, ()) for i in range(len(part["masters"]))]
            origins |= resolver.origins
            found += resolver.found
    return made, origins, found


class _Resolver:
    def __init__(self, masters: list[Any], at: Where) -> None:
        self.masters = masters
        self.at = at
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
                self.origins[*self.at, index, key] = self._written(other, key)
        return {**{k: v for k, v in copied.items() if k != "id"}, **own}

    def _written(self, index: int, key: str) -> Where:
        """Where the setting of master `index` was written: there, or at the one it is like."""
        for _ in self.masters:
            other = self._index_of(self.masters[index].get("like"))
            if key in self.masters[index] or other is None:
                break
            index = other
        return (*self.at, index, key)

    def _index_of(self, name: Any) -> int | None:
        return self.ids.index(name) if isinstance(name, str) and name in self.ids else None

    def _complain(self, index: int, other: int | None, asked: tuple[int, ...]) -> None:
        """Say what is wrong once: an unknown name where it stands, a circle where it closes."""
        name = self.masters[index]["like"]
        if other is not None and other == (asked[0] if asked else index):
            circle = " -> ".join(self.ids[i] for i in (*asked, index, other))
            root = asked[0] if asked else index
            self.found.append(((*self.at, root, "like"), f"goes round in a circle: {circle}"))
        elif other is None and not asked:
            message = f"no master {name!r}{nearest(str(name), [i for i in self.ids if i])}"
            self.found.append(((*self.at, index, "like"), message))
