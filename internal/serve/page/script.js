// Keeps the page as it would be if it were loaded again: exchanges its parts for those that the server has drawn, and
// shows the figures of each step at once. A page that nobody sees asks for nothing.
'use strict';
(() => {
  const main = document.querySelector('main[data-events]');
  const live = document.getElementById('live');
  if (!main || !live || !window.EventSource) return;
  let source = null, mark = main.dataset.mark, version = main.dataset.version;
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };

  // exchange keeps what the reader has unfolded, and waits while something in the part is selected.
  const waiting = new Map();
  const exchange = (name, html) => {
    const part = document.getElementById('part-' + name);
    if (!part) return;
    const chosen = window.getSelection();
    if (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)) { waiting.set(name, html); return; }
    waiting.delete(name);
    const open = new Map([...part.querySelectorAll('details')].map((d) => [label(d), d.open]));
    const log = part.querySelector('.log'), focused = part.contains(document.activeElement) && document.activeElement.getAttribute('aria-label');
    const at = log && { top: log.scrollTop, end: log.scrollTop + log.clientHeight >= log.scrollHeight - 4 };
    part.innerHTML = html;
    for (const d of part.querySelectorAll('details')) if (open.has(label(d))) d.open = open.get(label(d));
    const box = part.querySelector('.log');
    if (box) box.scrollTop = !at || at.end ? box.scrollHeight : at.top;
    if (focused) { const again = part.querySelector('[aria-label="' + CSS.escape(focused) + '"]'); if (again) again.focus({ preventScroll: true }); }
  };
  const label = (d) => { const b = d.querySelector('summary .rule'); return b ? b.textContent : d.querySelector('summary').textContent; };

  const figures = {
    stage: (m) => m.stage, step: (m) => String(m.step),
    loss: (m) => m.loss === undefined ? null : m.loss.toFixed(4), lr: (m) => m.lr === undefined ? null : String(Number(m.lr.toPrecision(4))),
    best: (m) => m.best === undefined ? null : (100 * m.best).toFixed(2) + '\u00a0%',
  };
  const metrics = (event) => {
    mark = event.lastEventId;
    const lines = event.data.split('\n');
    let m;
    try { m = JSON.parse(lines[lines.length - 1]); } catch { return; }
    for (const [key, text] of Object.entries(figures)) {
      const at = document.querySelector('[data-now="' + key + '"]'), value = text(m);
      if (at && value !== null) at.textContent = value;
    }
  };

  const connect = () => {
    if (source || document.hidden) return;
    const url = new URL(main.dataset.events, location.href);
    if (mark) url.searchParams.set('after', mark);
    url.searchParams.set('version', version);
    source = new EventSource(url);
    source.onopen = () => say('Live: this page follows the files.');
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) { close(); say('The server has ended, or was begun anew: open the address that it prints.'); } else say('The connection is lost; it is tried again.');
    };
    source.addEventListener('metrics', metrics);
    source.addEventListener('part', (event) => {
      const p = JSON.parse(event.data);
      if (p.version.length > version.length || p.version.length === version.length && p.version > version) version = p.version;
      exchange(p.name, p.html);
    });
    source.addEventListener('anew', () => { close(); setTimeout(() => location.reload(), 1000); });
  };
  const close = () => { if (source) { source.close(); source = null; } };
  document.addEventListener('visibilitychange', () => { if (document.hidden) close(); else connect(); });
  document.addEventListener('selectionchange', () => { for (const [name, html] of [...waiting]) exchange(name, html); });
  const box = document.querySelector('.log');
  if (box) box.scrollTop = box.scrollHeight;
  connect();
})();
