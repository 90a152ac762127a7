"""Superset's settings. What differs between installations is in the folder CHOTSO_BI_HOME.

$CHOTSO_BI_HOME/metadata.url    SQLAlchemy URL of Superset's own database
$CHOTSO_BI_HOME/secret_key      signs sessions and encrypts stored secrets
"""

from typing import Any

import warehouse_logins


def _secret(name: str) -> str:
    return (warehouse_logins.home() / name).read_text(encoding="utf-8").strip()


SECRET_KEY = _secret("secret_key")
SQLALCHEMY_DATABASE_URI = _secret("metadata.url")
DB_CONNECTION_MUTATOR = warehouse_logins.as_the_user

# No result is kept: a figure is as new as the warehouse, and none reaches another user.
CACHE_CONFIG: dict[str, Any] = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG: dict[str, Any] = {"CACHE_TYPE": "NullCache"}
THUMBNAIL_CACHE_CONFIG: dict[str, Any] = {"CACHE_TYPE": "NullCache"}
RESULTS_BACKEND = None

FEATURE_FLAGS = {
    # If somebody configures a cache after all, each user has entries of his own.
    "CACHE_QUERY_BY_USER": True,
    # A dashboard can be one role's.
    "DASHBOARD_RBAC": True,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ESCAPE_MARKDOWN_HTML": False,
    "DRILL_BY": True,
    "DRILL_TO_DETAIL": True,
}

# Pages load nothing from elsewhere: no counters, no maps, no fonts. A chart's template is compiled
# in the browser, for which `unsafe-eval` is needed; a script must still bear the page's nonce.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'", "'unsafe-eval'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}

# Templates of charts are ours, so they may bring classes and a style sheet; scripts stay out.
HTML_SANITIZATION = True
HTML_SANITIZATION_SCHEMA_EXTENSIONS = {
    "attributes": {"*": ["className", "scope"]},
    "tagNames": ["caption"],
}

APP_NAME = "Chốt số"
THEME_DEFAULT = {
    "token": {
        "brandAppName": APP_NAME,
        "brandLogoAlt": APP_NAME,
        "brandLogoUrl": "/static/assets/images/superset-logo-horiz.png",
        "brandLogoHref": "/",
        "brandLogoHeight": "24px",
        "brandLogoMargin": "18px 0",
        # Dark enough to be read on white (4.5 : 1).
        "colorPrimary": "#0b5c8a",
        "colorLink": "#0b5c8a",
        "colorError": "#b3261e",
        "colorSuccess": "#1b7f3b",
        "fontFamily": "Inter, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif",
    },
    "algorithm": "default",
}
THEME_DARK = None
# Numbers and days as they are written in Vietnamese.
D3_FORMAT = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", "\u00a0đ"]}
D3_TIME_FORMAT = {
    "dateTime": "%d/%m/%Y %H:%M",
    "date": "%d/%m/%Y",
    "time": "%H:%M:%S",
    "periods": ["SA", "CH"],
    "days": ["Chủ nhật", "Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy"],
    "shortDays": ["CN", "T2", "T3", "T4", "T5", "T6", "T7"],
    "months": [f"Tháng {number}" for number in range(1, 13)],
    "shortMonths": [f"Th{number}" for number in range(1, 13)],
}
CURRENCIES = ["VND"]

ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000
SUPERSET_WEBSERVER_TIMEOUT = 90
PREVENT_UNSAFE_DB_CONNECTIONS = True
AUTH_USER_REGISTRATION = False
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Counted in the process's own memory: one process serves.
RATELIMIT_STORAGE_URI = "memory://"
# Nothing outside this machine is asked.
SUPERSET_LOG_VIEW = True
FAB_API_SWAGGER_UI = False
