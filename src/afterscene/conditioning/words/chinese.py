"""The Chinese words of the grammar (see :mod:`.vocabulary`).

What describes a building stands before it, so Chinese has a grammar of its own, and the same
records.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from afterscene.conditioning.words.vocabulary import (
    DAMAGED,
    DESTROYED,
    HEAVY,
    LIGHT,
    STANDING,
    UNCLEAR,
    UNTOUCHED,
)
from afterscene.geodata.damage import DamageLevel

_ONES = "一二三四五六七八九"
_TENS = ("十", *(f"{ten}十" for ten in _ONES[1:]))
#: Words of the numbers from 0 to 99.
_DIGITS = ("零", *_ONES, *(f"{ten}{one}" for ten in _TENS for one in ("", *_ONES)))
#: How a caption says the level of buildings, and the quarters of the picture in English order.
ADJECTIVES_ZH = MappingProxyType(
    {
        DamageLevel.NO_DAMAGE: "完好",
        DamageLevel.MINOR: "轻度受损",
        DamageLevel.MAJOR: "严重受损",
        DamageLevel.DESTROYED: "被毁",
        DamageLevel.UNCLASSIFIED: "未评估",
    }
)
QUARTERS_ZH = ("左上", "右上", "左下", "右下")
CHINESE: Mapping[str, Mapping[Any, str]] = MappingProxyType(
    {
        "ALL": {None: "所有, 每, 全部, 一切, 全体, 所有的, 每一"},
        "THAT": {None: "那栋, 那座, 那间, 那个, 那所"},
        "NO": {None: "没有任何, 没有, 没有一, 无一"},
        "REST": {
            None: "其余, 其他, 其它, 余下, 剩下, 剩余, 别的, 其余所有, 其他所有, 其它所有, "
            "其余全部, 其他地方, 其余地方, 其余部分"
        },
        "BUILDINGS": {
            None: "建筑物, 建筑, 房屋, 房子, 住宅, 楼房, 民房, 屋子, 楼, 住房, 房舍, 屋顶"
        },
        "SMALL": {None: "小, 小型"},
        "LARGE": {None: "大, 大型"},
        "SHEDS": {None: "棚屋, 小屋, 棚子, 车库, 小棚屋"},
        "BUT": {None: "除了, 除, 除去, 除开"},
        "OUT": {None: "以外, 之外, 外"},
        "NOT": {None: "没有被, 没被, 未被, 未, 没, 不, 并未"},
        "ATLEAST": {None: "至少"},
        "ATMOST": {None: "至多, 最多, 不超过"},
        "EFFECT": {
            UNTOUCHED: "完好, 完好无损, 未受损, 无损, 不受影响, 没有受损, 未受影响, 安然无恙, "
            "无恙, 没有损坏, 保持完好, 幸免, 未受损坏, 没事, 不受损, 没有受到影响, "
            "没有受影响, 没受影响",
            LIGHT: "轻微受损, 轻度受损, 轻微损坏, 轻度损坏, 轻度破坏, 轻微破坏, 略有损坏",
            HEAVY: "严重受损, 重度受损, 严重损坏, 严重破坏, 重度破坏, 重度损坏, 部分倒塌",
            DESTROYED: "毁坏, 摧毁, 毁, 毁灭, 倒塌, 全毁, 夷为平地, 完全损毁, 冲毁, "
            "坍塌, 垮塌, 塌, 彻底摧毁, 完全摧毁, 冲走, 损毁, 倒, 化为废墟, 成为废墟, 倒了, 塌了",
            DAMAGED: "受损, 损坏, 受灾, 破坏, 受影响, 遭到破坏, 遭破坏, 受到破坏, 受到影响",
            STANDING: "没有倒塌, 仍然屹立, 屹立, 未倒塌, 没倒, 幸存, 屹立不倒, 保住",
        },
        "CAUSE": {None: "使, 让, 导致, 使得, 令, 把, 将"},
        "CAUSED": {None: "因, 因为, 由于, 由"},
        "OCCURS": {None: "发生, 发生了, 来袭, 袭来, 爆发, 过境, 经过, 了一场, 过后"},
        "AFTER": {None: "遭遇, 遭受, 一场, 一次"},
        "FIRST": {None: "首先, 先, 先是, 起初, 一开始"},
        "THEN": {None: "然后, 接着, 随后, 之后, 最后, 后来"},
        "AND": {None: "和, 与, 及, 以及, 还有"},
        "SEP": {None: ",|，|;|；|.|。|:|：|、|!|！|而|但|但是|并且|同时|而且"},
        "FROM": {None: "离, 距离, 距, 在距离, 在离, 在距"},
        "WITHIN": {None: "以内, 之内, 内, 范围内, 范围以内, 里, 里面, 中"},
        "NEAR": {None: "附近, 旁边, 边上, 旁, 边, 沿岸, 周围, 岸边, 两岸"},
        "RANK": {"largest": "最大", "smallest": "最小"},
        "NEAREST": {None: "最近, 最靠近"},
        "DIRECTION": {
            "n": "北部, 北, 北边, 上方, 上部, 北面, 北侧, 上, 上边, 北方, 上面",
            "s": "南部, 南, 南边, 下方, 下部, 南面, 南侧, 下, 下边, 南方, 下面",
            "w": "西部, 西, 西边, 左侧, 左边, 左部, 西面, 西侧, 左, 西方",
            "e": "东部, 东, 东边, 右侧, 右边, 右部, 东面, 东侧, 右, 东方",
            "ne": "东北部, 东北, 右上方, 右上, 东北方",
            "nw": "西北部, 西北, 左上方, 左上, 西北方",
            "se": "东南部, 东南, 右下方, 右下, 东南方",
            "sw": "西南部, 西南, 左下方, 左下, 西南方",
        },
        "HALF": {None: "半边, 半部, 半部分, 半"},
        "SHARE": {
            "half": "一半, 二分之一",
            "third": "三分之一",
            "quarter": "四分之一",
        },
        "PERCENT": {k / 100: f"百分之{word}" for k, word in enumerate(_DIGITS) if k}
        | {1.0: "百分之百", 2 / 3: "三分之二"}
        | {3 / 4: "四分之三, 百分之七十五"},
        "CORNER": {None: "角, 角落"},
        "CENTRE": {None: "中央, 中心, 中间, 正中, 中部"},
        "WATER": {None: "水面, 水, 河, 河流, 湖, 湖泊, 海, 海岸, 河岸, 岸, 池塘, 水域, 大海"},
        "LAND": {
            "residential": "住宅区, 居民区, 住宅用地",
            "industrial": "工业区, 工业用地, 厂区",
            "commercial": "商业区, 商业用地",
            "forest": "森林, 树林, 林地",
            "farmland": "农田, 农地, 耕地, 田地",
            "park": "公园",
        },
        "ROAD": {None: "道路, 公路, 马路, 路, 街道"},
        "STRONG": {
            0.25: "弱, 轻微, 小规模",
            0.5: "中等, 中度, 一般",
            0.7: "强烈, 强, 猛烈",
            0.85: "严重, 剧烈, 特大",
            1.0: "极端, 毁灭性, 灾难性",
        },
        "LEVEL": {None: "级"},
        "HAO": {None: "号"},
        "ONLY": {None: "只有, 仅有, 唯有"},
        "MEASURE": {None: "深, 高, 厚, 水深, 浪高, 风速, 深度, 高度, 厚度, 震级"},
        "UNIT": {
            ("m", 1.0): "米, m, 公尺",
            ("m", 1000.0): "公里, 千米, km",
            ("m", 0.01): "厘米, cm",
            ("mm", 1.0): "毫米, mm",
            ("m/s", 1.0): "米每秒, 米/秒, m/s",
            ("m/s", 1 / 3.6): "公里每小时, 公里/小时, 千米每小时, km/h",
            ("g", 1.0): "g",
            ("kPa", 1.0): "千帕, kpa",
            ("kW/m2", 1.0): "kw/m2",
        },
        "NUMBER": dict(enumerate(_DIGITS)) | {2: "二, 两"},
        "": {
            None: "的, 都, 全都, 均, 皆, 被, 了, 是, 在, 个, 栋, 座, 幢, 间, 所, 处, 画面, "
            "图片, 图像, 地区, 区域, 位于, 会, 要, 受到, 遭, 遭到, 已, 已经, 于, 那, 这, 场, "
            "仍, 仍然, 则, 请, 靠近, 里氏, 有"
        },
        "ORDINAL": {None: "第"},
        UNCLEAR: {
            "is vague; give a number, a share such as 一半, or 所有": "左右, 大约, 大概, 约, 几乎, "
            "差点, 大部分, 多数, 大多数, 少数, 一些, 若干, 几, 数十, 上百, 上千, 上十, 十几, 部分, "
            "大半, 小半, 上下",
            "can mean none or not all; say which": "不都, 没都, 没有都, 不全, 没全, 未全, 并非, "
            "不是",
            "leaves a choice; say which": "或, 或者, 还是",
            "says what may be; say what happens": "如果, 要是, 可能, 也许, 假如, 除非",
            "asks; say what happens": "？, ?, 吗",
        },
    }
)
