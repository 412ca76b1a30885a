"""The style sheet of the comparison page."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;
--better:#0b6e3b;--worse:#a8201a;--bar:#0969da;--mark:#ffd8d3}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--paper:#0d1117;--card:#161b22;
--line:#30363d;--better:#4ac27b;--worse:#ff8a80;--bar:#58a6ff;--mark:#67211c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.2rem;margin:2rem 0 .75rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
.lead{max-width:60rem;margin:0}
small,.none,.legend,footer,summary{color:var(--soft)}
small{font-size:.82rem;white-space:nowrap}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.5rem .6rem;text-align:left;vertical-align:top}
thead th{font-size:.82rem;color:var(--soft);font-weight:600}
tbody th{font-weight:400;width:26%}
.name{display:block;font-weight:600}.name::first-letter{text-transform:uppercase}
th small{display:block;line-height:1.3;white-space:normal}
.part .name{padding-left:1rem;font-weight:400;color:var(--soft)}
.part td b{font-weight:400}
.better{color:var(--better)}.worse{color:var(--worse)}.same{font-weight:400}
.bar{display:block;position:relative;height:.4rem;margin-top:.35rem;border-radius:.2rem;background:var(--line)}
.bar i{position:absolute;top:0;bottom:0;min-width:2px;border-radius:.2rem;background:var(--bar);opacity:.5}
.bar u{position:absolute;top:-.1rem;bottom:-.1rem;width:3px;margin-left:-1px;background:var(--bar)}
.reasons{padding-left:1.2rem;margin:0}
mark{background:var(--mark);color:inherit;text-decoration:line-through;padding:0 .15em;border-radius:.2em}
.sample{border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1rem;margin:0 0 1rem;background:var(--card)}
.sample h3{margin:0 0 .4rem}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.5rem 1.25rem;margin-top:.6rem}
.answer h4{margin:0;font-size:.82rem;color:var(--soft)}
.answer p{margin:.15rem 0 0;white-space:pre-wrap}
pre{white-space:pre-wrap;font-size:.85rem;margin:.4rem 0 0}
footer{margin-top:2rem;font-size:.85rem;max-width:60rem}
@media(max-width:44rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table,tbody,tr,th,td{display:block;width:auto}
tbody th{width:auto;border:0;padding:.8rem 0 .1rem}
td{border:0;padding:.2rem 0;display:grid;grid-template-columns:8rem 1fr}td:empty{display:none}
tr{border-bottom:1px solid var(--line);padding-bottom:.6rem}
td::before{content:attr(data-label);font-size:.82rem;color:var(--soft)}
.part .name{padding-left:0}}
"""
