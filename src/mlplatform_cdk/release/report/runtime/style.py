"""How a report looks, in light and in dark."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5f6b7a;--line:#e1e6ec;--ground:#f4f6f9;--card:#fff;
--green:#12805c;--blue:#2f6fd6;--green-area:#12805c33;--blue-area:#2f6fd614;--bad:#b3261e;--mark:#8a94a3}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa6b5;--line:#2d3643;--ground:#10141a;--card:#181e27;
--green:#3fbf91;--blue:#6ea3f5;--green-area:#3fbf9140;--blue-area:#6ea3f51c;--bad:#e5675e;--mark:#6d7888}}
*{box-sizing:border-box}
body{margin:0;padding:2rem 1rem;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:58rem;margin:0 auto}
header,section,dl{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.25rem 1.5rem;
margin:0 0 1rem}
h1{margin:.4rem 0 0;font-size:1.6rem;line-height:1.2}h2{margin:0 0 .5rem;font-size:1.05rem}
.to{margin:.15rem 0 0;color:var(--soft)}.to b{color:var(--ink)}.why{margin:.75rem 0 0}
.badge{display:inline-block;padding:.1rem .65rem;border-radius:99px;font-size:.8rem;font-weight:600;color:#fff}
.badge.good{background:var(--green)}.badge.bad{background:var(--bad)}
@media(prefers-color-scheme:dark){.badge{color:#10141a}}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1rem}
dt{color:var(--soft);font-size:.8rem}dd{margin:0;font-weight:600;overflow-wrap:anywhere}
figure{margin:.75rem 0 0;overflow-x:auto}figcaption{color:var(--soft);font-size:.85rem}
svg{display:block;width:100%;min-width:38rem;height:auto;overflow:visible}
svg text{font-size:11px;fill:var(--soft)}svg text.y{text-anchor:end}
svg text.x,svg text.mark,svg text.none{text-anchor:middle}
.grid{stroke:var(--line)}.tick{stroke:var(--mark)}
polyline{fill:none;stroke-width:2;stroke-linejoin:round}
polyline.green{stroke:var(--green)}polyline.blue{stroke:var(--blue);stroke-dasharray:5 4}
circle.green{fill:var(--green)}circle.blue{fill:var(--blue)}
.green-area{fill:var(--green-area)}.blue-area{fill:var(--blue-area)}
line.change{stroke:var(--line);stroke-dasharray:2 3}
line.mark{stroke:var(--mark);stroke-dasharray:2 3}svg text.mark{fill:var(--ink)}
.key{display:flex;gap:.4rem;align-items:center;margin:0;color:var(--soft);font-size:.85rem}
.key i{width:1.6rem;border-top:3px solid var(--green)}.key i.blue{border-top:3px dashed var(--blue);margin-left:1rem}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .5rem .4rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:400;font-size:.85rem}
td small{display:block;color:var(--soft);overflow-wrap:anywhere}
.metrics{max-width:28rem}.metrics td+td,.metrics th+th{text-align:right;font-variant-numeric:tabular-nums}
.decisions td:nth-child(-n+2),.decisions td:nth-child(5){white-space:nowrap;font-variant-numeric:tabular-nums}
section{overflow-x:auto}.decisions{min-width:34rem}.decisions td:nth-child(6){overflow-wrap:break-word}
footer{color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}a{color:inherit}
@media print{body{background:#fff;padding:0}header,section,dl{break-inside:avoid}}
""".strip()
