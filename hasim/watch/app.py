"""The dashboard in a terminal: 80 x 24 are enough, and no colour is needed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static

from hasim.report.visible import visible
from hasim.settings.validation import SettingsError
from hasim.watch import panels
from hasim.watch.sources import Source

FRAME_S = 0.1
"""Real seconds between two pictures."""
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
STEP_S = 1.0
"""Simulated seconds of a step."""
LASTING_S = 60.0
"""How long an injected fault lasts."""
MOST_LINES = 100


class Choose(ModalScreen[str]):
    """A list to choose from with arrows and enter; escape chooses nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    CSS = """
    Choose { align: center middle; }
    #box { width: 40; height: auto; max-height: 20; border: solid $primary; background: $surface; }
    OptionList { height: auto; max-height: 16; }
    """

    def __init__(self, title: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self._title, self._names = title, names

    def compose(self) -> ComposeResult:
        """The title and the list."""
        options = OptionList(*map(visible, self._names), markup=False)
        yield Vertical(Static(self._title, markup=False), options, id="box")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """One was chosen."""
        self.dismiss(self._names[event.option_index])

    def action_leave(self) -> None:
        """None was chosen."""
        self.dismiss("")


class Dashboard(App[None]):
    """Follows a source in time, `speed` times as fast as it would happen."""

    TITLE = "hasim watch"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause"),
        Binding("s", "step", "Step"),
        Binding("plus,equals_sign", "faster", "Faster", key_display="+"),
        Binding("minus", "slower", "Slower", key_display="-"),
        Binding("f", "fault", "Fault"),
        Binding("q,ctrl+c", "quit", "Quit", key_display="q"),
    ]
    CSS = """
    Screen { overflow: hidden; }
    Static { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    #masters { margin-top: 1; max-height: 12; }
    #service { margin-top: 1; }
    #both { height: auto; max-height: 7; margin-top: 1; }
    #failovers, #alerts { width: 1fr; }
    #news { height: 1fr; margin-top: 1; }
    """

    def __init__(self, source: Source, speed: float = 1.0) -> None:
        super().__init__()
        self.source = source
        self.speed = speed
        self.paused = False

    def compose(self) -> ComposeResult:
        """The panels from the top to the bottom."""
        yield Static(id="headline", markup=False)
        yield Static(id="masters", markup=False)
        yield Static(id="service", markup=False)
        yield Horizontal(Static(id="failovers"), Static(id="alerts"), id="both")
        yield Static(id="news", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """The first picture; the others follow by a timer."""
        self.draw()
        self.set_interval(FRAME_S, self._frame)

    def _frame(self) -> None:
        if not self.paused:
            self.go_on(self.speed * FRAME_S)

    def go_on(self, lasting_s: float) -> None:
        """Go on by so many simulated seconds, and draw what is there."""
        self.source.advance(self.source.now_ns + max(1, round(lasting_s * 1e9)))
        self.draw()

    def draw(self) -> None:
        """Draw the present."""
        shown = self.source.show()
        head = panels.headline(shown, self.source.title, self.speed, paused=self.paused)
        place = self.query_one("#news", Static)
        for name, text in (
            ("headline", head),
            ("masters", panels.masters(shown)),
            ("service", panels.service(shown)),
            ("failovers", panels.failovers(shown)),
            ("alerts", panels.alerts(shown)),
            ("news", panels.news(shown, max(1, place.size.height))),
        ):
            self.query_one(f"#{name}", Static).update(text)

    # -- keys ---------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Stand still, or go on."""
        self.paused = not self.paused
        self.draw()

    def action_step(self) -> None:
        """Stand still after a second more."""
        self.paused = True
        self.go_on(STEP_S)

    def action_faster(self) -> None:
        """The next higher speed."""
        self.speed = next((speed for speed in SPEEDS if speed > self.speed), self.speed)
        self.draw()

    def action_slower(self) -> None:
        """The next lower speed."""
        slower = (speed for speed in reversed(SPEEDS) if speed < self.speed)
        self.speed = next(slower, self.speed)
        self.draw()

    def action_fault(self) -> None:
        """Ask for a fault and whom it shall strike; the world stands still meanwhile."""
        if not self.source.kinds:
            self.notify("A journal is what happened: nothing can be injected.")
            return
        was, self.paused = self.paused, True

        def strike(kind: str, target: str | None) -> None:
            if target:
                self._inject(kind, target)
            self.paused = was
            self.draw()

        def ask(kind: str | None) -> None:
            if not kind:
                self.paused = was
                return
            names = self.source.targets(kind)
            self.push_screen(Choose(f"{kind}: who?", names), lambda name: strike(kind, name))

        self.push_screen(Choose(f"A fault for {LASTING_S:g} s", self.source.kinds), ask)

    def _inject(self, kind: str, target: str) -> None:
        try:
            said = self.source.inject(kind, target, LASTING_S)
        except SettingsError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(said, markup=False)
