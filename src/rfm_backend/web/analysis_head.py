"""The head of every page of an analysis: its title and tabs (analysis_head.html).

In:  a visit, the analysis, which tab is open.
Out: `Head`.

What always holds: a tab that leads nowhere is not there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rfm_backend.services import analyses, insights, keeping, uploads
from rfm_backend.services.insights import Earlier
from rfm_backend.web.routing import Visit

if TYPE_CHECKING:
    import datetime as dt

    from rfm_backend.storage.analyses import AnalysisHead

Tab = Literal["overview", "customers", "settings", "compare", "report"]


@dataclass(frozen=True, kw_only=True)
class Head:
    """An analysis as its pages name it; ``tabs`` are (key, address)."""

    analysis_id: int
    file: str
    shop: str
    made_at: "dt.datetime"
    tabs: tuple[tuple[Tab, str], ...]
    tab: Tab
    is_current: bool


def head_of(
    visit: Visit, analysis: "AnalysisHead", *, tab: Tab, earlier: Earlier | None = None
) -> Head:
    """Return the head of an analysis's page; `earlier` where the page knows it already."""
    upload = uploads.get(visit.service, visit.user.id, analysis.upload_id)
    shops = {shop.id: shop.name for shop in keeping.shops(visit.service, visit.user.id)}
    here = f"/analyses/{analysis.id}"
    before = earlier or insights.earlier(visit.service, analysis)
    other = before.analysis.id if before else _another(visit, analysis)
    tabs: list[tuple[Tab, str]] = [
        ("overview", here),
        ("customers", f"{here}/customers"),
        ("settings", f"{here}/settings"),
    ]
    if other is not None:
        tabs.append(("compare", f"/analyses/{other}/compare/{analysis.id}"))
    tabs.append(("report", f"{here}/report"))
    return Head(
        analysis_id=analysis.id,
        file=upload.filename,
        shop=shops.get(upload.shop_id, ""),
        made_at=analysis.created_at,
        tabs=tuple(tabs),
        tab=tab,
        is_current=upload.current_analysis_id == analysis.id,
    )


def _another(visit: Visit, analysis: "AnalysisHead") -> int | None:
    """Return another analysis of the same upload, the newest."""
    found = analyses.page(
        visit.service, visit.user.id, upload_id=analysis.upload_id, before=None, limit=2
    )
    return next((one.id for one in found if one.id != analysis.id), None)
