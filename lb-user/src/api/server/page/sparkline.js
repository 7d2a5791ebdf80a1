// Sparklines: drawn if they are in view.

const inView = new WeakSet();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) {
      inView.delete(target);
    } else {
      inView.add(target);
      target.series?.draw();
    }
  }
}, { rootMargin: "200px" });

class Series {
  constructor() {
    this.values = [];
    this.last = null;
    this.number = make("span");
    this.number.textContent = "–";
    const of = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
    this.svg = of("svg");
    this.svg.setAttribute("viewBox", "0 0 " + (SAMPLES - 1) + " 20");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.line = of("polyline");
    this.svg.append(this.line);
    this.svg.series = this;
    watcher.observe(this.svg);
  }
  // A counter that went back began anew.
  count(value, seconds) {
    const before = this.last;
    this.last = value;
    if (before !== null && seconds > 0) this.add(Math.max(0, value - before) / seconds);
  }
  add(value) {
    this.values.push(value);
    if (this.values.length > SAMPLES) this.values.shift();
    put(this.number, number(value));
    if (inView.has(this.svg)) this.draw();
  }
  draw() {
    const most = Math.max(1, ...this.values);
    const first = SAMPLES - this.values.length;
    const points = this.values.map((value, i) => first + i + "," + (19 - 18 * value / most).toFixed(1));
    this.line.setAttribute("points", points.join(" "));
  }
}
