#pragma once

#include <string_view>

namespace segue::cli {

/// Light and dark by what the reader's system is set to; s0 to s7 are the recipes' colours.
inline constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--ink:#1d2329;--soft:#5b6670;--rule:#d9dee3;--page:#fff;--card:#f6f8fa;
--c0:#0b63a5;--c1:#b8560b;--c2:#0a7d5a;--c3:#a33b7c;--c4:#6a6f00;--c5:#3f8fc9;--c6:#7a4b2a;--c7:#5b5fc7}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#9aa6b1;--rule:#333b43;--page:#14181c;
--card:#1c2228;--c0:#5cb2f0;--c1:#f0a04b;--c2:#4fc9a0;--c3:#e08bc0;--c4:#c9cc5a;--c5:#9ad1ff;--c6:#d3a27f;--c7:#a5a8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:28px 24px 60px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:38px 0 6px}h3{font-size:15px;margin:22px 0 6px}
p{margin:4px 0 10px;max-width:78ch}.soft{color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:5px 12px 5px 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600;color:var(--soft);vertical-align:bottom}th:first-child,td:first-child{text-align:left}
td.best{font-weight:700}td.note,th.note{text-align:left;color:var(--soft)}
.tie{color:var(--soft)}
.swatch{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:7px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:18px}
figure{margin:0;background:var(--card);border-radius:8px;padding:12px 12px 6px}
figcaption{font-weight:600;margin-bottom:4px}figcaption span{font-weight:400;color:var(--soft)}
svg{width:100%;height:auto;display:block}
svg text{font-size:12px;fill:var(--ink)}svg .tick{fill:var(--soft);font-size:11px}svg .label{fill:var(--soft)}
svg .grid{stroke:var(--rule);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
svg .line{fill:none;stroke-width:1.8}svg .ring{fill:none;stroke-width:1.6}
.line.s0,.ring.s0{stroke:var(--c0)}.mark.s0{fill:var(--c0)}
.line.s1,.ring.s1{stroke:var(--c1)}.mark.s1{fill:var(--c1)}
.line.s2,.ring.s2{stroke:var(--c2)}.mark.s2{fill:var(--c2)}
.line.s3,.ring.s3{stroke:var(--c3)}.mark.s3{fill:var(--c3)}
.line.s4,.ring.s4{stroke:var(--c4)}.mark.s4{fill:var(--c4)}
.line.s5,.ring.s5{stroke:var(--c5)}.mark.s5{fill:var(--c5)}
.line.s6,.ring.s6{stroke:var(--c6)}.mark.s6{fill:var(--c6)}
.line.s7,.ring.s7{stroke:var(--c7)}.mark.s7{fill:var(--c7)}
.examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:0 18px}
.examples ol{margin:4px 0 0;padding-left:20px;font-size:13px}.examples li{margin-bottom:3px}
.examples h4{margin:6px 0 0;font-size:13px;border-bottom:2px solid;padding-bottom:2px}
.examples li span{display:block;color:var(--soft);font-size:12px}
.item{border-top:1px solid var(--rule);padding:10px 0 6px}
)css";

}  // namespace segue::cli
