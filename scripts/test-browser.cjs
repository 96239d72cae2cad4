// What scripts/test-browser.sh checks in the browser: node test-browser.cjs BROWSER ADDRESS FOLDER
'use strict';
const fs = require('fs');
const path = require('path');
const puppeteer = require('puppeteer-core');

const [executablePath, address, work] = process.argv.slice(2);

// status waits until the page says something that passes.
const status = async (page, passes) => {
  for (let tries = 0; tries < 300; tries++) {
    const text = await page.$eval('#status', (s) => s.textContent);
    if (passes(text)) return text;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the page still says: ' + await page.$eval('#status', (s) => s.textContent));
};

(async () => {
  const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const wrong = [];
    page.on('pageerror', (e) => wrong.push('script: ' + e.message));
    page.on('request', (r) => {
      const to = new URL(r.url());
      if (!['data:', 'blob:'].includes(to.protocol) && to.hostname !== '127.0.0.1') wrong.push('a request leaves the page: ' + r.url());
    });
    await page.goto(address + 'browser.html');
    await status(page, (s) => s.startsWith('Ready'));
    await (await page.$('#file')).uploadFile(path.join(work, 'picture.png'));
    await status(page, (s) => s === 'Done.');
    const rows = await page.$$eval('#classes tr', (all) => all.map((r) => [...r.children].map((c) => c.textContent)));
    const predicted = JSON.parse(fs.readFileSync(path.join(work, 'predicted.json')));
    const chance = Object.fromEntries(predicted.top.map((t) => [t.class, 100 * t.probability]));
    let most = 0;
    for (const [name, percent] of rows) {
      const off = Math.abs(parseFloat(percent) - chance[name]);
      if (!(off <= 0.06)) wrong.push(`${name}: ${percent} in the browser, ${chance[name]} % by predict`); // rounded to 0.1
      most = Math.max(most, off);
    }
    if (rows.length !== 5) wrong.push(`${rows.length} classes are shown`);
    await page.goto(address + 'plain.html');
    await status(page, (s) => s.includes('--pixels'));
    if (wrong.length) throw new Error(wrong.join('\n'));
    console.log(`test-browser: ${rows[0].join(' ')} is likeliest; 5 chances agree with predict to ${most.toFixed(3)} points`);
  } finally {
    await browser.close();
  }
})().catch((e) => {
  console.error('test-browser: ' + e.message);
  process.exit(1);
});
