"""Prepared cards to put on a reader. All people are invented; each number ends with its proper
check character.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from hardware_drivers.simulators.id_reader import LONG_TERM, Layout, PrintedCard

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True)
class PreparedPerson:
    """An ID card with a word on why one would use it."""

    note: str
    card: PrintedCard


@dataclass(frozen=True)
class PreparedHospitalCard:
    """A hospital card: UID in hex and the number written on it."""

    uid: str
    number: str


def with_check_character(first_17: str) -> str:
    """A whole resident number (GB 11643-1999) from its first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return first_17 + _CHECKS[total % 11]


def prepared_people() -> list[PreparedPerson]:
    """The people offered on the page, in the language of the request."""
    return [
        PreparedPerson(
            _("普通成人"),
            _card("林知夏", "2", "01", "11010519880512", "104", "北京市朝阳区杏林路18号3单元502室"),
        ),
        PreparedPerson(
            _("普通成人"),
            _card("赵文博", "1", "01", "31010419790323", "231", "上海市徐汇区桂林东街66弄9号"),
        ),
        PreparedPerson(
            _("80 岁以上，长期有效"),
            _card(
                "周桂兰",
                "2",
                "01",
                "12010119400817",
                "026",
                "天津市和平区南京路200号",
                until=LONG_TERM,
            ),
        ),
        PreparedPerson(
            _("名字很长"),
            _card(
                "买买提·吐尔逊江",
                "1",
                "05",
                "65010219850606",
                "311",
                "新疆维吾尔自治区乌鲁木齐市天山区解放南路388号",
            ),
        ),
        PreparedPerson(
            _("生僻字"),
            _card("欧阳䶮", "1", "01", "44010619930228", "417", "广东省广州市天河区天河北路90号"),
        ),
        PreparedPerson(
            _("少数民族"),
            _card(
                "扎西卓玛", "2", "04", "54010219960914", "028", "西藏自治区拉萨市城关区北京中路35号"
            ),
        ),
        PreparedPerson(
            _("证件已过期"),
            _card(
                "孙立群",
                "1",
                "01",
                "32010219700101",
                "015",
                "江苏省南京市玄武区珠江路1号",
                since="20050601",
                until="20250601",
            ),
        ),
        PreparedPerson(
            _("外国人永久居留证"),
            _card("SMITH JOHN", "1", "01", "11010519820704", "133", "", layout=Layout.FOREIGNER),
        ),
        PreparedPerson(
            _("港澳台居民居住证"),
            _card(
                "陈嘉欣",
                "2",
                "01",
                "81000019900909",
                "022",
                "广东省深圳市南山区",
                layout=Layout.HMT_RESIDENT,
            ),
        ),
    ]


def prepared_hospital_cards() -> list[PreparedHospitalCard]:
    """Hospital cards offered on the page."""
    return [
        PreparedHospitalCard("04A1B2C3", "10000001"),
        PreparedHospitalCard("04A1B2C4", "10000002"),
        PreparedHospitalCard("04D5E6F7A8B9C0", "10000003"),
    ]


def _card(
    name: str,
    sex: str,
    ethnic_group: str,
    area_and_birth: str,
    sequence: str,
    address: str,
    *,
    since: str = "20180601",
    until: str = "20380601",
    layout: Layout = Layout.RESIDENT,
) -> PrintedCard:
    return PrintedCard(
        name=name,
        sex=sex,
        ethnic_group=ethnic_group,
        birth_date=area_and_birth[6:],
        address=address,
        number=with_check_character(area_and_birth + sequence),
        authority="市公安局分局",
        valid_from=since,
        valid_until=until,
        layout=layout,
    )
