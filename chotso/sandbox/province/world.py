"""The whole province as one value, which depends only on its parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from chotso.sandbox.province.accounts import AccountBook, make_effects
from chotso.sandbox.province.accruals import make_accruals, make_adjustments
from chotso.sandbox.province.defects import (
    Defect,
    plant_in_documents,
    plant_in_names,
    plant_in_numbers,
)
from chotso.sandbox.province.documents import make_documents
from chotso.sandbox.province.employers import make_employers
from chotso.sandbox.province.ledger import make_ledger
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.payments import make_payments
from chotso.sandbox.province.plans import PlanFile, make_plans
from chotso.sandbox.province.population import make_spells
from chotso.sandbox.province.registers import (
    agency_rows,
    assignment_rows,
    employer_rows,
    make_officers,
    officer_rows,
)
from chotso.sandbox.province.tables import CAN_BO, CO_QUAN, DON_VI, PHAN_CONG
from chotso.sandbox.province.versions import (
    Versions,
    document_versions,
    line_versions,
    register_versions,
    spell_versions,
)


@dataclass(frozen=True, slots=True)
class World:
    """All row versions, accounts, plans and planted defects of the province's lifetime."""

    parameters: Parameters
    tables: list[Versions]  # in the order in which they are written
    book: AccountBook
    plans: list[PlanFile]
    defects: list[Defect]  # those in tables; those in files are made with the files


def make_world(parameters: Parameters, progress: Callable[[str], None]) -> World:
    """Generates the province."""
    timeline = parameters.timeline
    progress("Đang sinh đơn vị và người tham gia (giả định)")
    employers = make_employers(parameters)
    spells = make_spells(parameters, employers)
    defects = plant_in_names(parameters, employers)
    progress("Đang tính số phải thu, số thu và chứng từ")
    due = make_accruals(parameters, employers, spells)
    adjustments = make_adjustments(parameters, employers, due)
    ledger = make_ledger(parameters, employers, due, adjustments)
    documents = make_documents(
        parameters, employers, make_payments(parameters, employers, due, ledger)
    )
    officers = make_officers(parameters, employers)
    plans = make_plans(parameters, spells, documents, officers)
    book = AccountBook(employers, due, ledger, adjustments, make_effects(timeline, documents))
    defects += plant_in_documents(parameters, employers, documents)
    misspelt, of_numbers = plant_in_numbers(parameters, spells)
    tables = [
        register_versions(CO_QUAN, agency_rows(parameters)),
        register_versions(CAN_BO, officer_rows(parameters, officers)),
        register_versions(DON_VI, employer_rows(employers)),
        register_versions(PHAN_CONG, assignment_rows(employers, officers)),
        document_versions(timeline, employers, documents),
        line_versions(timeline, documents),
        spell_versions(parameters, employers, spells, misspelt),
    ]
    return World(parameters, tables, book, plans, defects + of_numbers)
