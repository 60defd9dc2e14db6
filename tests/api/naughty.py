"""Texts that do harm where they are taken for something else than text."""

NAUGHTY = (
    # formulas of a spreadsheet, plain and in other clothes
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.example","y")',
    "\t=1+1", " =1+1", "'=1+1", '"=1+1', "|calc", "%0A=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)",
    "=IMPORTXML(CONCAT(1),2)", "-2+3+cmd|' /C calc'!D2", ";=1+1", "=1+1;x", "{=1+1}", "=DDE(1,2,3)",
    "\u00a0=1+1", "\u3000=1+1", "\u200b=1+1", "\ufeff=1+1", "\u202e=1+1", "\u2028=1+1",
    # SQL
    "' OR '1'='1", "'; DROP TABLE users; --", '" OR ""="', "1) UNION SELECT password_hash FROM users --",
    "\\'; SELECT 1; --", "%", "_", "a%b_c\\", "`users`", "$$x$$", "NULL", "0x00", "%s%s%n", "{0}{x.y}",
    # HTML, templates
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<!--", "]]>", "&lt;b&gt;", "{{7*7}}",
    "${7*7}", "{% raw %}", "javascript:alert(1)", "</style><svg/onload=alert(1)>", "</script>",
    # paths
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "CON", "C:\\x", "~root", ".",
    # text itself
    "Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "👩‍👩‍👧", "مرحبا", "ﬀi", "Ａdmin", "İstanbul", "ǅ", "\u202etxt.exe",
    "\u200bzero\u200d", "a\u0301\u0302\u0303", "\ufeffbom", "\U0001f3f4\U000e0067",
)  # fmt: skip
# These break a line or a terminal; a file name or a header may not hold them at all.
LINE_BREAKERS = (
    "a\r\nSet-Cookie: x=1",
    "a\n2026-01-01 ERROR forged",
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
)
