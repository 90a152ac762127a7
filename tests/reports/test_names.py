"""Short names: what a chart has room for, and never two agencies under one name."""

import pytest

from chotso.registers import load_registers
from chotso.reports.names import metric_group, metric_short_name, short_name, short_names


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Bảo hiểm xã hội huyện Dương Minh Châu", "Dương Minh Châu"),
        ("BHXH thị xã Hòa Thành", "Hòa Thành"),
        ("Bảo hiểm xã hội Thành phố Tây Ninh", "Tây Ninh"),
        ("BHXH Quận Bình Thạnh", "Bình Thạnh"),
        ("bảo hiểm xã hội HUYỆN Gò Dầu", "Gò Dầu"),
        ("Huyện Bến Cầu", "Bến Cầu"),
        ("Văn phòng Bảo hiểm xã hội tỉnh Tây Ninh", "Văn phòng Bảo hiểm xã hội tỉnh Tây Ninh"),
        ("BHXH cơ sở số 7", "cơ sở số 7"),
        ("Bảo hiểm xã hội", "Bảo hiểm xã hội"),
        ("BHXH huyện ", "BHXH huyện "),
        ("=cmd|'/C calc'!A0", "=cmd|'/C calc'!A0"),
        ("", ""),
    ],
)
def test_what_every_agency_has_in_common_is_left_out(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Bảo hiểm xã hội tỉnh Tây Ninh", "Toàn tỉnh Tây Ninh"),
        ("Bảo hiểm xã hội Thành phố Hồ Chí Minh", "Toàn thành phố Hồ Chí Minh"),
        ("BHXH Tây Ninh", "Toàn tỉnh Tây Ninh"),
    ],
)
def test_a_province_says_that_it_is_the_whole(name: str, short: str) -> None:
    assert short_name(name, is_province=True) == short


def test_two_agencies_never_have_one_short_name() -> None:
    found = short_names(
        {
            "1": ("BHXH thành phố Cao Lãnh", False),
            "2": ("BHXH huyện Cao Lãnh", False),
            "3": ("BHXH huyện Lấp Vò", False),
        }
    )
    assert found == {"1": "thành phố Cao Lãnh", "2": "huyện Cao Lãnh", "3": "Lấp Vò"}


def test_metrics_are_told_apart_under_their_groups() -> None:
    metrics = load_registers().metrics.metrics
    short = [(metric_group(m.unit), metric_short_name(m.name_vi, m.unit)) for m in metrics]
    assert len(set(short)) == len(metrics)
    assert ("Số người tham gia", "BHXH bắt buộc") in short
    assert ("Số thu", "Tổng") in short
    assert ("Tỷ lệ nợ", "Chung") in short
    assert metric_short_name("Doanh số", "other") == "Doanh số"
