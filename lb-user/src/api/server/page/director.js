// The director itself.

// Rows of cells, each a text or an element's [class, text]; made anew only if something differs.
function rows(id, lines, numbers = []) {
  const key = JSON.stringify(lines);
  const body = by(id);
  if (body.key === key) return;
  body.key = key;
  body.replaceChildren(...lines.map((line) => make("tr", {}, ...line.map((cell, i) => {
    const [className, text] = Array.isArray(cell) ? cell : [null, cell];
    const it = i === 0 && id !== "events" ? make("th", { scope: "row" }) : make("td");
    if (numbers.includes(i)) it.className = "number";
    it.append(className === null ? text : make("span", { className, textContent: text }));
    return it;
  }))));
}

let reasonsBefore = {};

function showDirector(board, seconds) {
  const { status } = board;
  put(by("director"), ["version " + status.version, "process " + status.pid, status.config].join(" · "));
  rows("interfaces", status.interfaces.map((it) => [it.name, xdp(it.xdp), [it.mac ?? "no MAC", ...it.addresses].join(" ")]));
  const used = (name, it) => [name, String(it.used), String(it.most)];
  rows("tables", [used("services", status.services), used("members", status.members), used("flows", status.flows)], [1, 2]);
  const some = Object.entries(status.reasons).filter(([, it]) => it.packets > 0);
  rows("reasons", some.map(([name, it]) => {
    const before = reasonsBefore[name];
    const rate = seconds > 0 && before !== undefined ? Math.max(0, it.packets - before) / seconds : null;
    return [name, String(it.packets), number(rate), it.fate];
  }), [1, 2]);
  reasonsBefore = Object.fromEntries(Object.entries(status.reasons).map(([name, it]) => [name, it.packets]));
  const none = Object.keys(status.reasons).length - some.length;
  put(by("no-reasons"), some.length > 0 ? "without a packet: " + none + " other reasons" : "none, for any of " + none + " reasons");
}

function xdp(mode) {
  if (mode === "native") return ["state native", "● native"];
  return mode === "generic" ? ["state generic", "▲ generic"] : ["state off", "✖ " + mode];
}

function whose(real) {
  return real.length > 0 ? "real server " + real.join(", ") : "a stranger";
}

function words(it) {
  switch (it.event) {
    case "state": return it.real + " of " + it.service + ": " + it.from + " → " + it.to + (it.reason ? ": " + it.reason : "");
    case "quorum": return it.service + ": quorum of " + it.quorum + (it.is_there ? " is there again" : " lost");
    case "interface": return it.name + ": " + it.from + " → " + it.to;
    case "leak": return it.vip + " is also at " + it.mac + " on " + it.interface + ": " + whose(it.real);
    case "leak-over": return it.vip + " is not at " + it.mac + " on " + it.interface + " any more";
    case "config": return "another configuration is in force: " + it.how;
    default: return it.event;
  }
}

function showEvents(board) {
  const last = board.events.slice(-40).reverse();
  rows("events", last.length > 0 ? last.map((it) => [clock(it.time), words(it)]) : [["", "none since the daemon began"]]);
}
