"""Name pools of the demo people. All persons are invented; names are of common building blocks.

Ethnic group codes are those of GB/T 3304 (01 Han, 02 Mongol, 04 Tibetan, 05 Uygur, 07 Yi,
10 Korean, 11 Manchu, 03 Hui, 08 Zhuang, 17 Kazak).
"""

from __future__ import annotations

from backend.demo.dice import Dice

#: Surnames with a weight near their share of the people.
SURNAMES = tuple(
    (surname, weight)
    for weight, group in (
        (60, "王 李 张 刘 陈"),
        (34, "杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗"),
        (16, "郑 梁 谢 宋 唐 许 邓 冯 韩 曹 曾 彭 萧 蔡 潘 田 董 袁 于 余 叶 蒋 杜 苏 魏 程 吕 丁"),
        (8, "沈 任 姚 卢 傅 钟 姜 崔 谭 廖 范 汪 陆 金 石 戴 贾 韦 夏 邱 方 侯 邹 熊 孟 秦 白 江"),
        (4, "阎 薛 尹 段 雷 黎 史 龙 陶 贺 顾 毛 郝 龚 邵 万 钱 严 赖 覃 洪 武 莫 孔"),
        (2, "欧阳 上官 司马 诸葛 端木 令狐 皇甫 仇 解 单 查 区 盖 逄 禤 亓 仉 乜 郗 邸 钭"),
    )
    for surname in group.split()
)
_MALE = "伟 强 磊 军 勇 杰 涛 明 超 刚 平 辉 鹏 华 飞 鑫 波 斌 宇 浩 凯 健 俊 帆 林 峰 海 旭 亮 晨"
_FEMALE = (
    "芳 娜 敏 静 丽 艳 娟 霞 秀 燕 玲 桂 兰 英 梅 琳 洁 云 莉 萍 红 玉 雪 颖 倩 婷 蕾 薇 晶 雯"
)
_SHARED = (
    "文 志 国 建 永 春 晓 小 子 思 雨 一 嘉 佳 天 安 宁 清 如 新 荣 德 成 家 振 世 瑞 庆 书 心"
)
MALE_CHARACTERS = tuple(_MALE.split())
FEMALE_CHARACTERS = tuple(_FEMALE.split())
SHARED_CHARACTERS = tuple(_SHARED.split())

_UYGUR_MALE = "阿卜杜拉 买买提 艾尼瓦尔 吐尔逊 库尔班 依明 热合曼 努尔麦麦提"
_UYGUR_FEMALE = "古丽米热 阿依古丽 热依汗古丽 帕提古丽 祖丽菲亚 米日古丽"
_UYGUR_FATHERS = "买买提 艾合买提 阿卜杜克热木 吐尔洪 玉素甫 依布拉音 托合提"
_TIBETAN = "扎西 卓玛 多吉 央金 次仁 白玛 格桑 旦增 尼玛 达瓦 洛桑 德吉"
_MONGOL = "巴图 其木格 苏日娜 格日勒 朝鲁 娜仁花 乌兰 布和 萨仁 哈斯额尔敦"
_YI = "阿牛木呷 吉克曲布 沙马阿英 阿约日洛 海来拉铁 曲木阿果"
_KAZAK_MALE = "叶尔兰 努尔兰 赛力克 哈山"
_KAZAK_FEMALE = "阿依努尔 古丽娜尔 加娜尔"
_KAZAK_FATHERS = "沙依拉什 马合木提 胡安德克 波拉提"


def han_name(dice: Dice, sex: str) -> str:
    """A name of two to four characters for a man (``M``) or a woman (``F``)."""
    own = MALE_CHARACTERS if sex == "M" else FEMALE_CHARACTERS
    surname = dice.weighted(SURNAMES)
    if dice.chance(18):
        return surname + dice.pick(own)
    return surname + dice.pick(SHARED_CHARACTERS) + dice.pick(own)


def minority_name(dice: Dice, sex: str, ethnic_group: str) -> str:
    """A name in the way of the ethnic group; groups that use Han names get one."""
    if ethnic_group == "05":
        own = _UYGUR_MALE if sex == "M" else _UYGUR_FEMALE
        return f"{dice.pick(own.split())}·{dice.pick(_UYGUR_FATHERS.split())}"
    if ethnic_group == "17":
        own = _KAZAK_MALE if sex == "M" else _KAZAK_FEMALE
        return f"{dice.pick(own.split())}·{dice.pick(_KAZAK_FATHERS.split())}"
    if ethnic_group == "04":
        first, second = dice.pick(_TIBETAN.split()), dice.pick(_TIBETAN.split())
        return first + second if first != second else first
    if ethnic_group == "02":
        return dice.pick(_MONGOL.split())
    if ethnic_group == "07":
        return dice.pick(_YI.split())
    return han_name(dice, sex)
