/** How the console looks: cards in a grid, system fonts, light and dark, nothing loaded from anywhere. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#16181d;--soft:#5b6270;--line:#e3e6ec;--paper:#fff;--ground:#f3f5f8;--accent:#3b4fd8;--on:#fff;--good:#17774a;--bad:#b3261e;--mark:#eef0fb}
@media(prefers-color-scheme:dark){:root{--ink:#eceef3;--soft:#a0a8b8;--line:#2c313c;--paper:#191c23;--ground:#0f1116;--accent:#8b9bff;--on:#10131c;--good:#5fd39a;--bad:#ff9a91;--mark:#232838}}
*{box-sizing:border-box}[hidden]{display:none!important}
body{margin:0;background:var(--ground);color:var(--ink);font:.9375rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
header{display:flex;align-items:center;gap:.75rem;max-width:96rem;margin:0 auto;padding:.875rem 1rem 0}
h1{margin:0;font-size:1.125rem;overflow-wrap:anywhere}h2{margin:0;font-size:1rem}
#status{flex:1;margin:0;color:var(--soft);font-size:.875rem}#status::before{content:"";display:inline-block;width:.5rem;height:.5rem;margin-right:.375rem;border-radius:50%;background:var(--soft)}
#status:empty::before{content:none}#status[data-tone=good]::before{background:var(--good)}#status[data-tone=bad]::before{background:var(--bad)}
main{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:.875rem;max-width:96rem;margin:0 auto;padding:.875rem 1rem 2rem;align-items:start}
#login{grid-template-columns:minmax(0,26rem);justify-content:center;padding-top:10vh}
.card{min-width:0;background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:.875rem 1rem}
.wide{grid-column:1/-1}.tall{grid-row:2/span 5;align-self:stretch;display:flex;flex-direction:column}
.soft,.count,dt{color:var(--soft)}.count{font-weight:400}.soft{margin:.25rem 0;font-size:.875rem}
.head{display:flex;justify-content:space-between;align-items:center}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.75rem;margin:0}
dt{font-size:.8125rem}dd{margin:0;font-size:1.375rem;font-weight:620;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
#chart{display:block;width:100%;height:3.75rem;margin-top:.75rem;border-bottom:1px solid var(--line);overflow:visible}
path{fill:none;stroke-width:1.75;stroke:currentColor;vector-effect:non-scaling-stroke}.good{color:var(--good)}.bad{color:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:0 1rem}.legend span{white-space:nowrap}.legend .good::before,.legend .bad::before{content:"";display:inline-block;width:.75rem;height:2px;margin-right:.375rem;vertical-align:middle;background:currentColor}
#chart-peak{margin-left:auto}
form{display:grid;gap:.625rem;margin-top:.5rem}.row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end}
label{display:grid;gap:.125rem;flex:1 1 6rem;font-size:.8125rem;color:var(--soft);min-width:0}
input,textarea{width:100%;min-height:2.5rem;padding:.375rem .625rem;border:1px solid var(--line);border-radius:.5rem;background:var(--ground);color:var(--ink);font:inherit;font-size:1rem}
textarea{resize:vertical}
button{min-height:2.5rem;padding:.375rem .875rem;border:1px solid var(--accent);border-radius:.5rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;cursor:pointer}
button.plain{background:none;border-color:var(--line);color:var(--ink);font-weight:500}button[aria-pressed=true]{background:var(--mark);border-color:var(--accent)}
button:disabled{opacity:.55;cursor:default}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
#login-note:empty,#send-note:empty,#events-note:empty{display:none}#login-note,#send-note{margin:0;font-size:.875rem;overflow-wrap:anywhere}[data-tone=bad]{color:var(--bad)}#send-note[data-tone=good]{color:var(--good)}
.scroll{max-height:19rem;overflow:auto;margin:.5rem 0 0}.tall .scroll{flex:1 0 40rem;height:0;max-height:none}
ol,ul{list-style:none;padding:0}li{padding:.5rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}li:first-child{border:0}
.line{display:flex;flex-wrap:wrap;gap:.125rem .625rem;align-items:baseline}.line time{margin-left:auto;color:var(--soft);font-size:.8125rem;font-variant-numeric:tabular-nums}
.kind,.tag{padding:0 .4rem;border-radius:.375rem;background:var(--mark);font-size:.8125rem;overflow-wrap:anywhere}.kind{font-weight:600}
code,.link{font:.8125rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
button.link{min-height:0;padding:0;border:0;background:none;color:var(--accent);text-align:left}
bdi{white-space:pre-wrap}.tags{display:flex;flex-wrap:wrap;gap:.25rem;margin-top:.25rem}.tag{font-size:.75rem;color:var(--soft)}
.text{margin:.125rem 0 0}.quiet{color:var(--soft);font-style:italic}
table{width:100%;border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th{position:sticky;top:0;background:var(--paper);color:var(--soft);font-weight:500;font-size:.8125rem}
th,td{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}td{border-top:1px solid var(--line)}.number{text-align:right}td:last-child,th:last-child{padding-right:0}
th,#subscription-list td:first-child{white-space:nowrap}#subscription-list td:nth-child(2){min-width:4rem}#subscription-list td:nth-child(3){width:75%;font:.8125rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
#verdicts{margin-top:.5rem}#verdicts tr:first-child td{border:0}
@media(max-width:60rem){main{grid-template-columns:minmax(0,1fr)}.tall{grid-row:auto}.tall .scroll{flex:none;height:auto;max-height:26rem}}
@media(max-width:30rem){#chart-peak{margin-left:0}header,main{padding-left:.625rem;padding-right:.625rem}.card{padding:.75rem}.figures{grid-template-columns:1fr 1fr}#filter label:nth-child(2){flex-basis:12rem}#filter button{flex:1}}
`.trim()
