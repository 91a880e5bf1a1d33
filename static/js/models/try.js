// Chats with one or two models: sends a turn, shows the response as it streams, and passes on what
// the person saves.

import { post } from "js/site/post_json";

export function mount(el) {
  const form = el.querySelector("form.try-ask");
  const box = form.querySelector("textarea[name=text]");
  const panes = [...el.querySelectorAll("[data-pane]")].map((pane) => makePane(el, pane));

  const settle = () => {
    const isBusy = panes.some((pane) => pane.isBusy());
    el.toggleAttribute("data-busy", isBusy);
    form.querySelector("[data-do=ask]").disabled = isBusy;
    form.querySelector("[data-do=stop]").disabled = !isBusy;
  };

  const ask = async () => {
    const text = box.value.trim();
    const chosen = panes.filter((pane) => pane.model());
    if (!text || el.hasAttribute("data-busy")) return;
    if (!chosen.length) return complain(el.dataset.chooseModel);
    complain("");
    const system = form.querySelector("[name=system]").value.trim();
    for (const pane of chosen) pane.say(text);
    settle();
    let reply;
    try {
      const answer = await post(el.dataset.ask, {
        parts: chosen.map((pane) => ({ model: pane.model(), messages: pane.messages(system) })),
        sampling: settings(form),
      });
      reply = await answer.json();
      if (!answer.ok) throw new Error(reply.sentence);
    } catch (problem) {
      for (const pane of chosen) pane.takeBack();
      settle();
      return complain(reply?.sentence ?? document.body.dataset.failure);
    }
    box.value = "";
    chosen.forEach((pane, index) => pane.listen(reply.answers[index], { system, sampling: settings(form), settle }));
  };

  const complain = (sentence) => {
    const place = form.querySelector("[data-complaint]");
    place.textContent = sentence;
    place.hidden = !sentence;
  };

  const stop = () => panes.forEach((pane) => pane.stop());
  const begin = () => {
    stop();
    for (const pane of panes) pane.clear();
    settle();
    box.focus();
  };

  const onKey = (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && form.contains(event.target)) {
      event.preventDefault();
      ask();
    } else if (event.key === "Escape" && el.hasAttribute("data-busy")) {
      stop();
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.querySelector("[data-do=stop]").addEventListener("click", stop);
  form.querySelector("[data-do=new]").addEventListener("click", begin);
  document.addEventListener("keydown", onKey);
  box.readOnly = false;
  settle();
  return () => {
    document.removeEventListener("keydown", onKey);
    for (const pane of panes) pane.close();
  };
}

function settings(form) {
  const names = ["temperature", "top_p", "max_new_tokens", "seed"];
  return Object.fromEntries(names.map((name) => [name, form.elements[name].value === "" ? null : form.elements[name].value]));
}

function makePane(el, pane) {
  const log = pane.querySelector(".turns");
  const state = pane.querySelector("[data-state-line]");
  const seconds = pane.querySelector("[data-seconds]"); // beside the state, which is read aloud when it changes
  const choice = pane.querySelector("select");
  let turns = [];
  let source = null;
  let stopUrl = "";
  let ticking = 0;

  const close = () => {
    source?.close();
    source = null;
    clearInterval(ticking);
    seconds.textContent = "";
    log.removeAttribute("aria-busy");
  };

  const show = (role, text) => {
    const item = pane.querySelector(`template[data-turn=${role}]`).content.firstElementChild.cloneNode(true);
    item.querySelector(".turn-text").textContent = text;
    log.append(item);
    return item;
  };

  // Scrolls to the end of the conversation, unless the reader has scrolled up.
  const follow = (change) => {
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 24;
    change();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  };

  const keep = (fields) => {
    const form = document.getElementById("keep");
    for (const field of form.querySelectorAll("input[data-filled]")) field.value = fields[field.name] ?? "";
    form.submit();
  };

  return {
    isBusy: () => source !== null || log.hasAttribute("aria-busy"),
    model: () => choice.value,
    messages: (system) => [...(system ? [{ role: "system", content: system }] : []), ...turns],
    close,

    say(text) {
      log.setAttribute("aria-busy", "true");
      turns.push({ role: "user", content: text });
      const earlier = turns.slice(0, -1);
      const item = show("user", text);
      item.querySelector("[data-do=keep]").addEventListener("click", () => {
        keep({ earlier: JSON.stringify(earlier), text });
      });
      log.scrollTop = log.scrollHeight;
    },

    takeBack() {
      turns.pop();
      log.lastElementChild?.remove();
      close();
    },

    clear() {
      close();
      turns = [];
      log.replaceChildren();
      state.textContent = "";
    },

    stop() {
      if (source) post(stopUrl, {});
    },

    listen(answer, { system, sampling, settle }) {
      const model = choice.value;
      const prompt = turns.at(-1).content;
      const earlier = [...(system ? [{ role: "system", content: system }] : []), ...turns.slice(0, -1)];
      const item = show("assistant", "");
      const words = item.querySelector(".turn-text");
      item.querySelector(".turn-model").textContent = choice.selectedOptions[0].textContent;
      stopUrl = answer.stop;
      state.textContent = el.dataset.waiting;
      source = new EventSource(answer.events);
      const askedAt = Date.now();
      ticking = setInterval(() => (seconds.textContent = `${Math.round((Date.now() - askedAt) / 1000)} s`), 1000);
      const done = (sentence) => {
        close();
        state.textContent = sentence;
        settle();
      };
      source.addEventListener("state", (event) => {
        state.textContent = el.dataset[JSON.parse(event.data).state] ?? "";
      });
      source.addEventListener("thinking", (event) => {
        const thinking = item.querySelector(".turn-thinking");
        thinking.hidden = false;
        follow(() => thinking.lastElementChild.append(JSON.parse(event.data).thinking));
      });
      source.addEventListener("text", (event) => follow(() => words.append(JSON.parse(event.data).text)));
      source.addEventListener("end", (event) => {
        const end = JSON.parse(event.data);
        const text = words.textContent;
        turns.push({ role: "assistant", content: text || "…" });
        const facts = [end.n_tokens === undefined ? "" : `${end.n_tokens} ${el.dataset.tokens}`, `${end.seconds} s`];
        if (end.is_stopped) facts.push(el.dataset.stopped);
        else if (end.is_ended === false) facts.push(el.dataset.cut);
        item.querySelector(".turn-facts").textContent = facts.filter(Boolean).join(" · ");
        const button = item.querySelector("[data-do=keep]");
        button.hidden = !text.trim();
        button.addEventListener("click", () => {
          keep({
            earlier: JSON.stringify(earlier),
            text: prompt,
            model,
            written: text,
            sampling: JSON.stringify(sampling),
            is_ended: end.is_ended ?? "",
          });
        });
        follow(() => {});
        done(el.dataset.ended);
      });
      const fail = (sentence) => {
        item.previousElementSibling.dataset.dropped = "";
        item.remove();
        turns.pop();
        show("trouble", sentence).setAttribute("role", "alert");
        log.scrollTop = log.scrollHeight;
        done("");
      };
      source.addEventListener("failed", (event) => fail(JSON.parse(event.data).sentence));
      // The browser reopens a broken connection, but not one that was refused.
      source.addEventListener("error", () => {
        if (source?.readyState === EventSource.CLOSED) fail(document.body.dataset.failure);
      });
    },
  };
}
