// What scripts/test-pages.sh checks of every page, and of pages with planted faults:
//
//   - nothing is said on the console, no script fails, no answer is an error
//   - no request goes elsewhere than to the file itself or to 127.0.0.1
//   - every picture, button, link, progress bar and region has a name for those who do not see it
//   - nothing is wider than a telephone of 360 pixels
//   - without script the page has the same parts
//
// and of the live page: how long a line of metrics.jsonl takes to it, that its button stops a run, and that
// the printed address lets in also where it is followed from the page of another site.
'use strict';
const fs = require('fs');
const path = require('path');
const http = require('http');
const { spawn } = require('child_process');
const { pathToFileURL } = require('url');
const puppeteer = require('puppeteer-core');

const [browserPath, work, pictures] = process.argv.slice(2);
const oneshot = path.join(work, 'oneshot'), runs = path.join(work, 'runs');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
let checks = 0;

// faults opens a page and lists what is wrong with it. Pictures are kept under a name, where there is one.
async function faults(browser, url, name, { settle = 700, act } = {}) {
  const found = [];
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  try {
    if (url.startsWith('http')) await letIn(page);
    const home = new URL(url), cdp = await page.createCDPSession();
    page.on('console', (m) => { if (['error', 'warn', 'warning'].includes(m.type())) found.push('console: ' + m.text()); });
    page.on('pageerror', (e) => found.push('script: ' + e.message));
    page.on('request', (r) => {
      const to = new URL(r.url());
      const own = to.protocol === 'data:' || to.protocol === home.protocol && (home.protocol === 'file:' ? to.pathname === home.pathname : to.host === home.host && to.hostname === '127.0.0.1');
      if (!own) found.push('a request leaves the page: ' + r.url());
    });
    page.on('response', (r) => { if (r.status() >= 400) found.push('answer ' + r.status() + ' to ' + r.url()); });
    const look = async (what, width, scheme, media) => {
      await cdp.send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
      await page.setViewport({ width, height: 800 });
      await pause(120);
      if (name) await page.screenshot({ path: path.join(pictures, name + '-' + what + '.png'), fullPage: true });
    };
    await page.setViewport({ width: 1000, height: 800 });
    await page.goto(url, { waitUntil: 'load' });
    await pause(settle);
    if (act) await act(page);
    await look('light', 1000, 'light', 'screen');
    const parts = await page.$$eval('section', (all) => all.map((s) => s.id || (s.querySelector('h2') || {}).textContent || ''));
    found.push(...await page.evaluate(() => {
      const bad = [];
      if (!document.documentElement.lang) bad.push('the page says no language');
      if (!document.title.trim()) bad.push('the page has no title');
      if (document.querySelectorAll('h1').length !== 1) bad.push('the page has not one h1');
      for (const svg of document.querySelectorAll('svg')) {
        const hidden = svg.closest('[aria-hidden="true"]');
        const named = svg.getAttribute('aria-label') || svg.querySelector(':scope > title');
        if (!hidden && !(svg.getAttribute('role') === 'img' && named)) bad.push('a picture without a name: ' + svg.outerHTML.slice(0, 90));
      }
      return bad;
    }));
    const { nodes } = await cdp.send('Accessibility.getFullAXTree');
    const wanted = ['image', 'img', 'button', 'link', 'progressbar', 'meter', 'region', 'textbox', 'checkbox', 'DisclosureTriangle'];
    let named = 0;
    for (const n of nodes) {
      if (n.ignored || !wanted.includes(n.role && n.role.value)) continue;
      named++;
      if (!(n.name && String(n.name.value).trim())) found.push('a ' + n.role.value + ' without an accessible name');
    }
    await look('dark', 1000, 'dark', 'screen');
    await look('narrow', 360, 'light', 'screen');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (!(wide <= 360)) found.push('at 360 pixels the page is ' + wide + ' wide');
    await look('print', 760, 'light', 'print');
    await page.setJavaScriptEnabled(false);
    await page.goto(url, { waitUntil: 'load' });
    const without = await page.$$eval('section', (all) => all.map((s) => s.id || (s.querySelector('h2') || {}).textContent || ''));
    if (parts.length === 0 || without.join() !== parts.join()) found.push('without script the page has other parts: ' + without + ' and ' + parts);
    checks++;
    if (name) console.log(`test-pages: ${name}: ${parts.length} parts, ${named} named elements, ${found.length} faults`);
  } finally {
    await context.close();
  }
  return found;
}

const served = JSON.parse(fs.readFileSync(path.join(work, 'serve.json'), 'utf8'));
let home = '';

// letIn gives a browser the cookie, and learns where the pages are.
async function letIn(page) {
  const answer = await page.goto(served.address, { waitUntil: 'load' });
  if (answer.status() !== 200) throw new Error('the printed address is refused');
  home = page.url();
  if (home.includes('token')) throw new Error('the token stays in the address: ' + home);
}

async function main() {
  fs.mkdirSync(pictures, { recursive: true });
  const browser = await puppeteer.launch({ executablePath: browserPath, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
  const wrong = [];
  const check = async (url, name, options) => {
    for (const f of await faults(browser, url, name, options)) {
      wrong.push(name + ': ' + f);
      console.log('test-pages: FAULT ' + name + ': ' + f);
    }
  };
  try {
    const first = await browser.newPage();
    await letIn(first);
    await first.close();
    const folder = path.join(runs, 'run'), result = path.join(folder, 'result.json');
    const given = fs.existsSync(result);
    if (!given) { // while it goes on
      await until(() => fs.existsSync(path.join(folder, 'metrics.jsonl')) && fs.statSync(path.join(folder, 'metrics.jsonl')).size > 400, 'the first steps');
      await check(home, 'list-live');
      await check(home + 'run/run/', 'run-live', { settle: 2500 });
      const deep = path.join(folder, 'search', 'samples.jsonl');
      await until(() => fs.existsSync(deep) && fs.readFileSync(deep, 'utf8').split('\n').length > 25 || fs.existsSync(result), 'samples');
      await check(home + 'run/run/', 'search-live', { settle: 2500 });
      await until(() => fs.existsSync(result), 'the end of the run');
    }
    await command(['report', folder], 0);
    await check(home, 'list');
    await check(home + 'run/run/', 'run');
    await check(pathToFileURL(path.join(folder, 'report.html')).href, 'report');
    await check(pathToFileURL(path.join(folder, 'search', 'report.html')).href, 'report-search');
    await followed(browser);
    await latency(browser, folder);
    await stopping(browser);
    await twins(browser, path.join(folder, 'report.html'));
  } finally {
    await browser.close();
  }
  if (wrong.length) throw new Error(wrong.length + ' faults');
  console.log(`test-pages: ok, ${checks} pages; pictures in ${pictures}`);
}

// followed follows the printed address from the page of another site, as a terminal or a chat in a browser is.
async function followed(browser) {
  const site = http.createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<!DOCTYPE html><title>another site</title><a href="' + served.address + '">the address</a>');
  });
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  const context = await browser.createBrowserContext(); // which has no cookie yet
  try {
    const page = await context.newPage();
    await page.goto('http://localhost:' + site.address().port + '/', { waitUntil: 'load' });
    await page.click('a');
    let heading = '';
    for (let i = 0; i < 100 && !heading.startsWith('Runs in'); i++) {
      await pause(50);
      heading = await page.evaluate(() => (document.querySelector('h1') || document.body).textContent).catch(() => '');
    }
    if (!heading.startsWith('Runs in') || page.url().includes('token')) throw new Error('followed from another site the address leads to ' + page.url() + ': ' + heading);
    await page.goBack({ waitUntil: 'load' });
    if (!page.url().startsWith('http://localhost:')) throw new Error('the token stays in the history: ' + page.url());
  } finally {
    await context.close();
    site.close();
  }
  console.log('test-pages: the printed address lets in from another site, and the token is not in the history');
}

async function until(holds, what) {
  for (let i = 0; !holds(); i++) {
    if (i > 18000) throw new Error('waited too long for ' + what);
    await pause(50);
  }
}

function command(args, code) {
  return new Promise((done, fail) => {
    const p = spawn(oneshot, args, { stdio: 'ignore' });
    const late = setTimeout(() => { p.kill(); fail(new Error('oneshot ' + args.join(' ') + ' does not end')); }, 120000);
    p.on('exit', (c) => clearTimeout(late) || c === code ? done() : fail(new Error(`oneshot ${args.join(' ')} ended with ${c}, want ${code}`)));
  });
}

// latency appends lines to the metrics of a copy of a run and waits for each on the page.
async function latency(browser, folder) {
  fs.cpSync(folder, path.join(runs, 'copy'), { recursive: true });
  const page = await browser.newPage();
  await letIn(page);
  await page.goto(home + 'run/copy/', { waitUntil: 'load' });
  await page.waitForFunction(() => document.getElementById('live').textContent.startsWith('Live'));
  const took = [];
  for (let step = 1000001; step <= 1000012; step++) {
    await pause(170);
    const begun = Date.now();
    fs.appendFileSync(path.join(runs, 'copy', 'metrics.jsonl'), JSON.stringify({ stage: 'retrain', step, loss: 1.5, lr: 0.1 }) + '\n');
    await page.waitForFunction((n) => document.querySelector('[data-now="step"]').textContent === String(n), { polling: 20, timeout: 5000 }, step);
    took.push(Date.now() - begun);
  }
  await page.close();
  took.sort((a, b) => a - b);
  console.log(`test-pages: from a line of metrics.jsonl to the page: median ${took[took.length >> 1]} ms, longest ${took[took.length - 1]} ms of ${took.length}`);
  if (!(took[took.length - 1] < 1000)) throw new Error('a line took a second or more to the page');
}

// stopping presses the button of a run, without script and with it.
async function stopping(browser) {
  for (const script of [false, true]) {
    const name = script ? 'stopped' : 'stopped-without-script', folder = path.join(runs, name);
    const ended = command(['train', '--preset', 'micro', '--set', 'train.steps=200000', '--out', folder, '--quiet'], 75);
    await until(() => fs.existsSync(path.join(folder, 'metrics.jsonl')) && fs.statSync(path.join(folder, 'metrics.jsonl')).size > 400, 'the first steps');
    const page = await browser.newPage();
    await letIn(page);
    await page.setJavaScriptEnabled(script);
    await page.goto(home + 'run/' + name + '/', { waitUntil: 'load' });
    await press(page, '#stop summary');
    await press(page, '#stop button');
    await ended;
    let text = '';
    for (let i = 0; i < 40 && !text.includes('stopped on request'); i++) {
      await pause(250);
      if (!script) await page.goto(page.url()); // as it does by itself every 15 seconds
      text = await page.$eval('#part-state', (e) => e.textContent);
    }
    if (!text.includes('stopped on request')) throw new Error('the page says of a run that was stopped: ' + text);
    if (fs.existsSync(path.join(folder, 'stop.request'))) throw new Error('the request to stop is left');
    await page.close();
  }
  console.log('test-pages: the button stops a run with exit code 75, with script and without');
}

// press clicks on something, as page.click does, which does not work where scripts are disabled.
async function press(page, selector) {
  const cdp = await page.createCDPSession();
  const { root } = await cdp.send('DOM.getDocument');
  const { nodeId } = await cdp.send('DOM.querySelector', { nodeId: root.nodeId, selector });
  await cdp.send('DOM.scrollIntoViewIfNeeded', { nodeId });
  const { quads } = await cdp.send('DOM.getContentQuads', { nodeId });
  await page.mouse.click((quads[0][0] + quads[0][2]) / 2, (quads[0][1] + quads[0][5]) / 2);
  await pause(300);
}

// twins are copies of a page with a fault each, which the checks must find.
async function twins(browser, file) {
  const page = fs.readFileSync(file, 'utf8').replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
  const plants = {
    'a script that fails': ['<script>undefined.x</script>', /^script: /],
    'a word on the console': ['<script>console.error("planted")</script>', /^console: /],
    'a request to elsewhere': ['<img alt="planted" src="http://outside.invalid/x.png"/>', /leaves the page/],
    'a picture without a name': ['<svg width="10" height="10"></svg>', /without a name/],
    'a button without a name': ['<button></button>', /button without an accessible name/],
    'a link without a name': ['<a href="#x"></a>', /link without an accessible name/],
    'something too wide': ['<div style="width:700px">planted</div>', /pixels the page is/],
    'a part that only a script makes': ['<script>document.body.append(document.createElement("section"))</script>', /without script/],
  };
  const twin = path.join(work, 'twin.html');
  for (const [what, [html, want]] of Object.entries(plants)) {
    fs.writeFileSync(twin, page.replace('</body>', html + '</body>'));
    const found = await faults(browser, pathToFileURL(twin).href, '', { settle: 100 });
    if (!found.some((f) => want.test(f))) throw new Error(`${what} goes unnoticed: ${JSON.stringify(found)}`);
  }
  console.log(`test-pages: all ${Object.keys(plants).length} planted faults are found`);
}

main().catch((e) => { console.log('test-pages: ' + e.stack); process.exit(1); });
