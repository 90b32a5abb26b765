"""Which modules are mutated, and which tests have to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What counts money or moves a status. Each has its tests at the mirrored path.
MODULES = (
    "common/money.py",
    "common/currencies.py",
    "common/ledger/accounts.py",
    "common/ledger/posting.py",
    "common/ledger/figures.py",
    "common/ledger/exchange.py",
    "common/bookings/status.py",
    "common/bookings/model.py",
    "common/bookings/pricing.py",
    "common/bookings/cancellation.py",
    "common/bookings/cancellation_plan.py",
    "common/bookings/completion.py",
    "common/bookings/postings.py",
    "common/bookings/holds.py",
    "common/refunds/amounts.py",
    "common/refunds/plan.py",
    "common/refunds/model.py",
    "common/refunds/outcome.py",
    "common/refunds/clawback.py",
    "common/refunds/debt_relief.py",
    "common/payouts/allocation.py",
    "common/payouts/lines.py",
    "common/payouts/model.py",
    "common/payouts/outcome.py",
    "common/payouts/postings.py",
    "common/payouts/schedule.py",
    "common/disputes/card_dispute.py",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A module under mutation.

    Attributes:
        path: Relative to the root, such as ``common/money.py``.
    """

    path: str

    @property
    def name(self) -> str:
        """Its name for ``import``."""
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def source(self) -> str:
        """Its text as it stands."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def tests(self) -> list[str]:
        """Its tests: ``test_{name}.py`` at the mirrored path, and ``test_{name}_….py`` there."""
        path = Path(self.path)
        folder = ROOT / "tests" / "unit" / path.parent
        own, more = folder / f"test_{path.stem}.py", folder.glob(f"test_{path.stem}_*.py")
        others = {f"test_{Path(module).stem}.py" for module in MODULES}
        files = [own, *sorted(file for file in more if file.name not in others)]
        return [str(file.relative_to(ROOT)) for file in files if file.exists()]
