// Alarms: until when a change is kept is said once, for it not to be read aloud each second.

let until = null;

function alarms(board) {
  const { status } = board;
  const list = status.leaks.map((it) => ["VIP leak", it.vip + " is also at " + it.mac + " on " + it.interface + ": " + whose(it.real)
    + ". Clients may miss the director. There, `drover doctor` tells why it answers."]);
  if (status.leaks_more > 0) list.push(["VIP leak", "there are more hosts that answer for a VIP than are named here"]);
  for (const it of board.services.filter((it) => !it.has_quorum)) {
    const active = it.reals.filter((real) => real.state === "active").length;
    list.push(["Quorum lost", it.service + ": it needs a weight of " + it.quorum + "; " + active + " of " + it.reals.length + " active"]);
  }
  if (status.unconfirmed === null) until = null;
  else until ??= clock(Date.now() + 1000 * status.unconfirmed).slice(11);
  if (until !== null) list.push(["Unconfirmed change", "it is taken back at " + until + ", unless `drover confirm` keeps it"]);
  for (const it of status.interfaces.filter((it) => it.xdp !== "native" && it.xdp !== "generic")) {
    list.push(["Interface " + it.name, it.xdp]);
  }
  return list;
}

// `drover list` in backquotes as what it is: a command.
function withCommands(text) {
  return text.split("`").map((part, i) => (i % 2 === 1 ? make("code", { textContent: part }) : part));
}

let alarmsOfBoard = [];
let alarmsShown = "";

function showAlarms(isLost) {
  const list = isLost ? [["The daemon does not answer", "what is below is what it said last. Packets may well be forwarded: "
    + "the kernel does that without it. On the director: `systemctl status drover-director`"], ...alarmsOfBoard] : alarmsOfBoard;
  const key = JSON.stringify(list);
  if (key === alarmsShown) return;
  alarmsShown = key;
  by("alarms").replaceChildren(...list.map(([what, text]) =>
    make("p", { className: "alarm" }, make("strong", { textContent: what }), ": ", ...withCommands(text))));
  const mark = list.length > 0 ? "⚠ " : "";
  document.title = mark + "Drover " + location.hostname;
}
