// Asking, and saying so if nobody answers.

let answered = Date.now();
let before = null;
let why = null;
let timer = null;

function show(board) {
  const isSame = before !== null && before.status.pid === board.status.pid;
  if (isSame && before.milliseconds === board.milliseconds) return;
  const seconds = isSame ? (board.milliseconds - before.milliseconds) / 1000 : 0;
  before = board;
  showServices(board, seconds);
  showTotals(board, seconds);
  showDirector(board, seconds);
  showEvents(board);
  alarmsOfBoard = alarms(board);
}

async function answer() {
  const response = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  const said = await response.json();
  if (!response.ok) throw new Error(said.error);
  return said;
}

async function ask() {
  let board = null;
  try {
    board = await answer();
    answered = Date.now();
    why = null;
  } catch (error) {
    // A browser's own words for nobody there differ, and help nobody.
    why = error.name === "Error" ? ": " + error.message : "";
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(ask, EVERY);
  if (board !== null) show(board);
  showAnswer();
}

function showAnswer() {
  const age = Date.now() - answered;
  const isLost = why !== null;
  put(by("answer-state"), isLost ? "no answer" : before ? "live" : "asking the daemon");
  put(by("answer-age"), isLost ? "since " + ago(age / 1000) + why : "");
  by("answer").classList.toggle("lost", isLost);
  document.body.classList.toggle("stale", isLost);
  showAlarms(isLost);
}

by("filter").addEventListener("input", filter);
by("wrong").addEventListener("change", filter);
// Nobody looks: nobody asks.
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
setInterval(showAnswer, 1000);
ask();
