// What of the services is shown, and all of them in all.

function filter() {
  const words = by("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isWrongOnly = by("wrong").checked;
  let [shown, all] = [0, 0];
  for (const [name, card] of cards) {
    let some = false;
    for (const [address, member] of card.members) {
      const text = [name, address, member.is, member.reason.textContent].join(" ").toLowerCase();
      const isShown = words.every((word) => text.includes(word)) && !(isWrongOnly && member.is === "active");
      if (member.row.hidden === isShown) member.row.hidden = !isShown;
      some ||= isShown;
      shown += isShown;
      all += 1;
    }
    card.element.hidden = !some && (words.length > 0 || isWrongOnly);
  }
  put(by("shown"), words.length > 0 || isWrongOnly ? shown + " of " + all + " members" : "");
}

function total(key, label) {
  if (!totals.has(key)) {
    const it = { value: make("dd"), small: make("small"), series: new Series() };
    it.value.append(it.series.number, it.small, it.series.svg);
    by("totals").append(make("div", {}, make("dt", { textContent: label }), it.value));
    totals.set(key, it);
  }
  return totals.get(key);
}

function showTotals(board, seconds) {
  const reals = board.services.flatMap((service) => service.reals);
  const counts = {};
  for (const { state } of reals) counts[state] = (counts[state] ?? 0) + 1;
  const members = total("members", "Members active");
  members.series.add(counts.active ?? 0);
  const others = Object.keys(SYMBOLS).filter((state) => state !== "active" && counts[state]);
  put(members.small, "of " + reals.length + others.map((it) => ", " + counts[it] + " " + it).join(""));
  const flows = total("flows", "Flows kept");
  flows.series.add(board.status.flows.used);
  put(flows.small, "of " + number(board.status.flows.most));
  for (const [key, label, factor] of RATES) {
    const sum = reals.reduce((sum, real) => sum + real[key], 0);
    const it = total(key, label);
    it.series.count(sum * factor, seconds);
    put(it.small, number(sum) + " " + (key === "connections" ? "flows" : key) + " so far");
  }
}
