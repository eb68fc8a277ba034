// The live list and the mail beside it.  Everything is text: nothing that came in becomes markup here.
"use strict";

const KEPT = 300;
const $ = (id) => document.getElementById(id);
const rows = new Map();
let picked = null;
let channel = "email";
let part = "html";
let following = true;
let pending = 0;

function cell(row, text, small, name) {
  const td = row.insertCell();
  if (name) td.className = name;
  td.append(text);
  if (small) {
    const more = document.createElement("small");
    more.className = "reason";
    more.textContent = small;
    td.append(more);
  }
}

// Lets narrow screens break names at their joints: U+200B is an invisible place for it.
function breakable(name) {
  return name.replace(/[._]/g, "$&\u200b");
}

function draw(data) {
  let tr = rows.get(data.id);
  if (!tr) {
    tr = document.createElement("tr");
    tr.className = "new";
    rows.set(data.id, tr);
    $("rows").prepend(tr);
    if (rows.size > KEPT) {
      const [oldest, last] = rows.entries().next().value;
      last.remove();
      rows.delete(oldest);
    }
  }
  tr.replaceChildren();
  tr.data = data;
  const pill = document.createElement("span");
  pill.className = `pill ${data.status}`;
  pill.textContent = data.status;
  cell(tr, data.shop_time || data.at);
  cell(tr, breakable(data.event), breakable(data.what));
  cell(tr, data.who, data.account);
  cell(tr, data.channel, data.channel && data.provider);
  const tries = data.attempts > 1 ? `${data.attempts} attempts` : null;
  cell(tr, pill, data.status === "sent" ? tries : data.reason || tries);
  cell(tr, data.ms === undefined || data.ms === null ? "" : Math.round(data.ms).toLocaleString("en"), null, "number");
  if (data.mail) {
    tr.classList.add("mailed");
    tr.tabIndex = 0;
  }
  $("empty").hidden = true;
  if (data.shop_time) $("clock").textContent = data.shop_time;
  if (following && data.mail && data.mail !== picked) pick(tr);
}

function pick(tr) {
  document.querySelector('tr[aria-selected="true"]')?.removeAttribute("aria-selected");
  tr.setAttribute("aria-selected", "true");
  picked = tr.data.mail;
  channel = tr.data.channel;
  clearTimeout(pending);
  pending = setTimeout(show, 40); // the list comes all at once at the start: fetch the last one only
}

async function show() {
  if (!picked) return;
  const id = encodeURIComponent(picked);
  let phone = null;
  if (channel !== "email") {
    const message = await fetch(`/demo/messages/${id}`);
    if (!message.ok) return;
    phone = await message.json();
    if (phone.id !== picked) return;
  }
  $("phone").hidden = !phone;
  $("body").hidden = Boolean(phone);
  for (const tab of document.querySelectorAll("[data-part]")) tab.hidden = Boolean(phone);
  if (phone) {
    $("subject").textContent = phone.channel === "sms" ? "A text message" : "A note in the app";
    $("to").textContent = phone.to;
    $("via").textContent = `by ${phone.provider}`;
    $("phone").className = `phone ${phone.channel}`;
    $("title").textContent = phone.title ?? "";
    $("text").textContent = phone.text ?? "";
    $("target").textContent = phone.link ?? "";
    return;
  }
  const answer = await fetch(`/demo/mails/${id}`);
  if (!answer.ok) return;
  const mail = await answer.json();
  if (mail.id !== picked) return;
  $("subject").textContent = mail.subject;
  $("to").textContent = `${mail.from}  →  ${mail.to}`;
  $("body").src = `/demo/mails/${id}/${part}`;
}

function follow(on) {
  following = on;
  $("follow").setAttribute("aria-pressed", String(on));
}

$("rows").addEventListener("click", (event) => {
  const tr = event.target.closest("tr.mailed");
  if (tr) { follow(false); pick(tr); }
});
$("rows").addEventListener("keydown", (event) => {
  const tr = event.target.closest("tr.mailed");
  if (tr && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); follow(false); pick(tr); }
});
$("follow").addEventListener("click", () => {
  follow(!following);
  const newest = document.querySelector("tr.mailed");
  if (following && newest) pick(newest);
});
for (const tab of document.querySelectorAll("[data-part]")) {
  tab.addEventListener("click", () => {
    part = tab.dataset.part;
    for (const each of document.querySelectorAll("[data-part]")) {
      each.setAttribute("aria-pressed", String(each === tab));
    }
    show();
  });
}

// A provider that is broken refuses everybody; the next one carries what it does not.
function switches(standing) {
  $("providers").replaceChildren(...Object.entries(standing).map(([name, works]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = works ? "works" : "broken";
    button.setAttribute("aria-pressed", String(!works));
    button.textContent = works ? `Break ${name}` : `Mend ${name}`;
    button.addEventListener("click", async () => {
      const answer = await fetch(`/demo/providers/${encodeURIComponent(name)}?working=${!works}`, { method: "PUT" });
      if (answer.ok) switches(await answer.json());
    });
    return button;
  }));
}
fetch("/demo/providers").then(async (answer) => { if (answer.ok) switches(await answer.json()); });

const stream = new EventSource("/demo/feed");
stream.addEventListener("open", () => { $("link").textContent = "live"; $("link").className = "link live"; });
stream.addEventListener("error", () => { $("link").textContent = "not connected"; $("link").className = "link lost"; });
stream.addEventListener("message", (event) => {
  const { row, figures } = JSON.parse(event.data);
  if (row) draw(row);
  for (const [name, value] of Object.entries(figures)) {
    const at = $(name);
    if (at) at.textContent = name === "p95" && !value ? "–" : Math.round(value).toLocaleString("en");
  }
});
