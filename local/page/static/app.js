// The page: a client of the local run. What is typed and pressed goes to the server, which signs it and sends it to the
// bot's real request URL; what changes comes back as server-sent events.

import { Actors } from "./actors.js";
import { Bar } from "./bar.js";
import { api } from "./api.js";
import { byId } from "./dom.js";
import { Channel } from "./channel.js";
import { confirm, Modal } from "./dialogs.js";
import { Execution } from "./execution.js";

const about = await api("about");
const command = byId("command");
const views = new Map();
let modal = null;
const channel = new Channel(about, { press, become: (id) => actors.become(id), type });
const actors = new Actors(about.actors, (person) => {
  channel.as(person.id);
  byId("send").textContent = `Send as ${person.name}`;
  drawModal();
});
const execution = await Execution.load(about);
const bar = new Bar({ problem: notice, anew: () => execution.anew() });
command.placeholder = `/platform-deploy ${about.example.text}`;
byId("channel-name").textContent = about.channels[about.channel];

// ------------------------------------------------------------------------------------------------ what one does

function notice(text) {
  byId("notice").textContent = text;
}

// What Slack tells the person when the app does not answer properly.
function checked(answer) {
  if (!answer.status) throw new Error("The bot did not answer.");
  if (!answer.in_time) throw new Error(`The bot answered after ${answer.seconds} s; Slack waits 3.`);
  if (answer.status !== 200) throw new Error(`The bot answered HTTP ${answer.status}.`);
}

async function press(message, action) {
  notice("");
  if (action.confirm && !(await confirm(action.confirm, about))) return;
  if (/^https?:/.test(action.url ?? "")) open(action.url, "_blank", "noopener");
  try {
    checked(await api("click", {
      channel: message.channel, ts: message.ts, action_id: action.action_id, user: actors.id,
    }));
  } catch (error) {
    notice(error.message);
  }
}

const typed = [];
let back = 0;

byId("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await send(command.value.trim())) {
    command.value = "";
    hint();
  }
});

// What an empty channel offers: typed by that person, and sent.
async function type(line, id) {
  actors.become(id);
  command.focus();
  await send(line);
}

// Whether it went out. A command that fails is told in the channel, by Slackbot.
async function send(line) {
  const button = byId("send");
  if (!line || button.getAttribute("aria-disabled")) return false;
  notice("");
  const [name, text] = line.split(/\s+([\s\S]*)/);
  if (!name.startsWith("/")) {
    notice("Only slash commands do something here, for example /platform-deploy help");
    return false;
  }
  button.setAttribute("aria-disabled", "true");
  typed.push(line);
  back = typed.length;
  channel.follow.end();
  try {
    await api("slash", { command: name, text: text ?? "", user: actors.id });
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

command.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || !typed.length) return;
  event.preventDefault();
  back = Math.min(Math.max(back + step, 0), typed.length);
  command.value = typed[back] ?? "";
  hint();
});
command.addEventListener("input", hint);

function hint() {
  const name = command.value.trim().split(/\s/)[0];
  const fitting = about.commands.filter((one) => name && (one.command === name || one.command.startsWith(name)));
  const [only] = fitting;
  const targets = about.targets.length > 1 ? ` Targets: ${about.targets.join(", ")}.` : "";
  byId("hint").textContent = fitting.length === 1
    ? `${only.command} ${only.usage_hint}: ${only.description}${targets}`
    : about.commands.map((one) => one.command).join(" · ");
}
hint();

function drawModal() {
  const mine = [...views.values()].filter((one) => one.user === actors.id).at(-1);
  if (modal && (modal.id !== mine?.id || modal.drawn !== JSON.stringify(mine.content))) {
    modal.close();
    modal = null;
  }
  if (!mine) return;
  if (modal) {
    modal.show(mine.errors);
    return;
  }
  const ids = { view_id: mine.id, user: mine.user };
  modal = new Modal(mine, about, {
    submit: async (values) => checked(await api("submit", { ...ids, values })),
    cancel: () => api("close", ids),
  });
}

// ------------------------------------------------------------------------------------------------ what happens

async function refresh() {
  const found = await api("messages");
  channel.replace(found.messages);
  views.clear();
  for (const view of found.views) views.set(view.id, view);
  drawModal();
  await Promise.all([bar.refresh(), execution.refresh()]);
}

const heard = {
  hello: () => {
    byId("connection").textContent = "live";
    refresh().catch((error) => notice(error.message));
  },
  message: (message) => channel.put(message),
  deleted: ({ id }) => channel.remove(id),
  view: (view) => {
    if (view.open) views.set(view.id, view);
    else views.delete(view.id);
    drawModal();
  },
  execution: () => execution.refresh(),
  stage: (told) => bar.show(told),
  reset: () => refresh().catch((error) => notice(error.message)),
};

// A browser tries again by itself where nobody answers, but not where the answer is an error: a server that is just
// coming up gives one.
function listen() {
  const told = new EventSource("api/events");
  for (const [name, act] of Object.entries(heard)) told.addEventListener(name, (event) => act(JSON.parse(event.data)));
  told.onerror = () => {
    byId("connection").textContent = "not connected; trying again …";
    if (told.readyState !== EventSource.CLOSED) return;
    told.close();
    setTimeout(listen, 500);
  };
}
listen();
