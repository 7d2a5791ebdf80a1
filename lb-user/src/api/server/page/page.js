"use strict";
// All that the daemon says goes in as text, never as markup.

const EVERY = 2000; // ms from an answer to the next question
const PATIENCE = 5000; // ms that an answer may take
const SAMPLES = 60; // of a sparkline
const SYMBOLS = {
  active: "●", warming: "◐", standby: "○", down: "✖", unresolved: "?", quiesced: "‖", overloaded: "▲", draining: "▽",
};
const RATES = [["packets", "Packets/s", 1], ["bytes", "Bits/s", 8], ["connections", "New/s", 1]];

const by = (id) => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Only what differs: what is read aloud is not read again, and what is selected stays so.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function number(value) {
  if (value === null || value === undefined) return "–";
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  if (value < 10000) return String(Math.round(value));
  const [unit, size] = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, size]) => value >= size);
  return (value / size).toPrecision(3) + " " + unit;
}

function ago(seconds) {
  if (seconds < 60) return Math.max(0, Math.round(seconds)) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h";
  return Math.floor(seconds / 86400) + " d";
}

const clock = (time) => new Date(time).toLocaleString("sv-SE");
