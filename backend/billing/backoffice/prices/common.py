"""What the pages of the price list share: their blueprint, and the words for categories."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext as _

from backend.billing.rules import PRICED, PriceCategory

blueprint = Blueprint(
    "prices", __name__, url_prefix="/backoffice/prices", template_folder="../../templates"
)

#: What staff call each price category.
CATEGORY_WORDS = {
    PriceCategory.REGISTRATION: _("挂号诊查"),
    PriceCategory.CONSULTATION: _("会诊"),
    PriceCategory.LABORATORY: _("检验"),
    PriceCategory.IMAGING: _("放射影像"),
    PriceCategory.ULTRASOUND: _("超声"),
    PriceCategory.ENDOSCOPY: _("内镜"),
    PriceCategory.NUCLEAR: _("核医学"),
    PriceCategory.PATHOLOGY: _("病理"),
    PriceCategory.DRUG: _("药品"),
    PriceCategory.PROCEDURE: _("操作"),
    PriceCategory.TREATMENT: _("治疗"),
    PriceCategory.RADIOTHERAPY: _("放射治疗"),
    PriceCategory.SURGERY: _("手术"),
    PriceCategory.ANAESTHESIA: _("麻醉"),
    PriceCategory.NURSING: _("护理"),
    PriceCategory.BED: _("床位"),
    PriceCategory.MATERIAL: _("材料"),
    PriceCategory.BLOOD: _("血液"),
    PriceCategory.OTHER: _("其他"),
    PriceCategory.DEPOSIT: _("预交金"),
}
#: Those a price may have.
PRICED_WORDS = {kind: words for kind, words in CATEGORY_WORDS.items() if kind in PRICED}
