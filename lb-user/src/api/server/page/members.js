// Services and their members: rows stay as long as what they show.

const cards = new Map();
const totals = new Map();

function newCard(service) {
  const card = { members: new Map(), body: make("tbody"), note: make("span"), lost: make("span", { className: "lost" }) };
  const heads = ["Real server", "State", "Since", "Weight", "Active", ...RATES.map((rate) => rate[1]), "Reason"];
  const head = make("tr", {}, ...heads.map((text) => {
    const isNumber = text === "Weight" || text === "Active";
    return make("th", { scope: "col", textContent: text, className: isNumber ? "number" : "" });
  }));
  const caption = make("caption", {}, make("b", { textContent: service.service }), " ", card.lost, " ", card.note);
  // Roles: where the page is narrow, rows are no rows to a browser.
  const table = make("table", { className: "members", role: "table" }, caption, make("thead", { role: "rowgroup" }, head), card.body);
  head.role = "row";
  card.body.role = "rowgroup";
  for (const cell of head.cells) cell.role = "columnheader";
  card.element = make("div", { className: "card" }, table);
  return card;
}

function newMember(address) {
  const member = { row: make("tr", { role: "row" }), state: make("span"), since: make("time"), series: {} };
  const cell = (label, ...children) => {
    const it = make("td", { role: "cell" }, ...children);
    it.dataset.label = label;
    member.row.append(it);
    return it;
  };
  member.row.append(make("th", { scope: "row", role: "rowheader", textContent: address }));
  delete cell("", member.state).dataset.label;
  cell("Since", member.since);
  member.weight = cell("Weight");
  member.active = cell("Active");
  member.weight.className = member.active.className = "number";
  for (const [key, label] of RATES) {
    const series = member.series[key] = new Series();
    cell(label, series.number, series.svg).className = "rate";
  }
  member.reason = cell("Reason");
  return member;
}

function showMember(member, real, board, seconds) {
  member.is = real.state;
  put(member.state, (SYMBOLS[real.state] ?? "") + " " + real.state);
  member.state.className = "state " + real.state;
  if (member.since.dateTime !== real.since) {
    member.since.dateTime = real.since;
    member.since.title = clock(real.since);
  }
  put(member.since, ago((Date.parse(board.time) - Date.parse(real.since)) / 1000));
  put(member.weight, String(real.weight));
  put(member.active, number(real.active));
  put(member.reason, real.reason ?? "");
  for (const [key, , factor] of RATES) member.series[key].count(real[key] * factor, seconds);
}

function showService(service, board, seconds) {
  const card = cards.get(service.service) ?? newCard(service);
  if (!cards.has(service.service)) cards.set(service.service, card);
  const words = [service.scheduler, ...service.flags];
  if (service.listen.length > 1) words.push("also " + service.listen.slice(1).join(" "));
  if (service.persistence) words.push("persistent " + service.persistence + " s");
  const active = service.reals.filter((real) => real.state === "active").length;
  words.push(active + " of " + service.reals.length + " active");
  put(card.note, words.join(" · "));
  put(card.lost, service.has_quorum ? "" : "⚠ quorum of " + service.quorum + " lost");
  card.element.classList.toggle("lost", !service.has_quorum);
  const there = new Set();
  for (const real of service.reals) {
    there.add(real.address);
    if (!card.members.has(real.address)) {
      const member = newMember(real.address);
      card.members.set(real.address, member);
      card.body.append(member.row);
    }
    showMember(card.members.get(real.address), real, board, seconds);
  }
  for (const [address, member] of card.members) {
    if (there.has(address)) continue;
    member.row.remove();
    card.members.delete(address);
  }
}

function showServices(board, seconds) {
  const names = new Set(board.services.map((service) => service.service));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.element.remove();
    cards.delete(name);
  }
  for (const service of board.services) showService(service, board, seconds);
  // In the order of the file; moved only if that has changed.
  board.services.forEach((service, i) => {
    const { element } = cards.get(service.service);
    if (by("list").children[i] !== element) by("list").insertBefore(element, by("list").children[i] ?? null);
  });
  filter();
}
