"""Six rules of allocation lines that every measured way can say; others need other tables."""

from datetime import date

REQUIRED = ("so_chung_tu", "so_dong", "quy", "thang", "tien_goc", "tien_lai")
KEY = ("so_chung_tu", "so_dong")
FUNDS = ("HTTT", "ODTS", "TNLD", "BHTN", "BHYT", "BHXHTN")
FIRST_MONTH = date(1995, 1, 1)
LAST_MONTH = date(2023, 2, 2)
"""400 days after the source's clock (`bench.night.NOW`)."""
MOST_MONEY = 10**15
