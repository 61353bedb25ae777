// Label and Chat by the keyboard in a real browser, where only a browser can tell: what hostile words become, that single
// keys rest while typing, that the controls of judging stay where they are, branches, undo, and typing while a run trains.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { noBrowser, openBrowser, scratch, startShell, type Browser, type Shell } from './browser.ts'

const home = scratch()
const skip = noBrowser
let shell: Shell
let browser: Browser

before(async () => {
  if (skip) return
  shell = await startShell(home)
  browser = await openBrowser()
  await browser.page.goto(shell.url)
  await browser.page.getByRole('main').waitFor()
})
after(async () => {
  if (skip) return
  await browser.close()
  await shell.stop()
  rmSync(home, { recursive: true, force: true })
})

const goTo = (hash: string): Promise<void> =>
  browser.page.evaluate((to) => {
    location.hash = to
  }, hash)

const hostile = [
  '<script>window.hostile = 1</script><img src=x onerror="window.hostile = 1"><iframe src="https://example.org"></iframe>',
  '[press](javascript:window.hostile=1) ![cat](https://example.org/cat.png) <svg/onload="window.hostile=1">',
  'w'.repeat(4000),
  '| a | b |\n|---|---|\n| ' + 'x'.repeat(600) + ' | 1 |',
].join('\n\n')

void test('an answer streams in, and hostile words in one do nothing', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  await goTo('#/chat/new?with=m1')
  const composer = page.getByRole('textbox', { name: 'Message' })
  await composer.fill('Where does Kelric live?')
  await composer.press('Enter')
  const answer = page.getByRole('article').last()
  await answer.getByRole('button', { name: 'Good answer' }).waitFor()
  await page.getByRole('heading', { level: 1, name: 'Where does Kelric live?' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('e')
  await page.getByRole('textbox', { name: 'Edit the answer' }).fill(hostile)
  await page.keyboard.press('Control+Enter')
  await page.getByText('Kept as an edit').waitFor()
  assert.equal(await answer.locator('script, img, iframe, svg[onload], a[href]').count(), 0)
  assert.equal(await page.evaluate(() => (window as { hostile?: number }).hostile), undefined)
  assert.ok((await answer.innerText()).includes('<script>'), 'what was said is still there to read')
  const wider = await page.evaluate(
    () =>
      [...document.querySelectorAll('body, main, .flow')].filter((one) => one.scrollWidth > one.clientWidth + 1).length,
  )
  assert.equal(wider, 0, 'nothing grew wider than its place')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Taken back').waitFor()
})

void test(
  'an edited question is a branch beside the first, and Alt Left goes back',
  { skip, timeout: 60_000 },
  async () => {
    const { page } = browser
    await page.getByRole('button', { name: 'Edit the question' }).last().click()
    await page.getByRole('textbox', { name: 'Edit the question' }).fill('Who is the friend of Kelric?')
    await page.keyboard.press('Enter')
    await page.getByText('2 of 2').first().waitFor()
    await page.getByRole('article').last().getByRole('button', { name: 'Good answer' }).waitFor()
    assert.equal(await page.getByRole('region', { name: 'Branches of this chat' }).getByRole('button').count(), 2)
    await page.getByRole('textbox', { name: 'Message' }).focus()
    await page.keyboard.press('Alt+ArrowLeft')
    await page.getByText('1 of 2').first().waitFor()
    assert.match(page.url(), /#\/chat\/t\d+$/, 'the browser itself did not go back')
  },
)

void test('single keys rest in the composer: they are letters there', { skip, timeout: 30_000 }, async () => {
  const { page } = browser
  const composer = page.getByRole('textbox', { name: 'Message' })
  const before = await page.getByRole('article').count()
  await composer.focus()
  await page.keyboard.type('g e + - 2?')
  assert.equal(await composer.inputValue(), 'g e + - 2?')
  assert.equal(await page.getByRole('article').count(), before)
  await composer.fill('')
})

void test('the controls of judging do not move with the length of an answer', { skip, timeout: 90_000 }, async () => {
  const { page } = browser
  await goTo('#/label/new')
  await page.getByRole('button', { name: 'Pairs of a file' }).click()
  await page.getByRole('button', { name: 'Judge these pairs' }).click()
  const save = page.getByRole('button', { name: /Save and next/ })
  await save.waitFor()
  const place = await save.boundingBox()
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press(String(1 + (i % 3)))
    await page.keyboard.press('Enter')
    await page
      .getByText(`${i + 1} of`)
      .first()
      .waitFor()
    assert.deepEqual(await save.boundingBox(), place)
  }
})

void test('at the smallest window the remark on the difference is read whole', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  await page.setViewportSize({ width: 1000, height: 700 })
  const foot = page.locator('.foot')
  const remark = foot.getByText(/^\d+% differ/)
  for (let skipped = 0; (await remark.count()) === 0; skipped++) {
    assert.ok(skipped < 40, 'a pair differs by more than half of its words')
    await page.keyboard.press('6')
    const before = await page.locator('.work').getAttribute('aria-label')
    await page.keyboard.press('s')
    await page.waitForFunction((was) => document.getElementById('judging')?.getAttribute('aria-label') !== was, before)
  }
  const cut = await foot.evaluate((row) =>
    [row, ...row.querySelectorAll('span')]
      .filter((one) => getComputedStyle(one).display !== 'inline' && one.scrollWidth > one.clientWidth)
      .map((one) => one.textContent),
  )
  assert.deepEqual(cut, [])
  await page.setViewportSize({ width: 1360, height: 860 })
})

void test(
  'a note is written in words, not in judgements; undo goes back to the first',
  { skip, timeout: 60_000 },
  async () => {
    const { page } = browser
    await page.keyboard.press('6')
    await page.keyboard.press('n')
    await page.keyboard.type('7 is x')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /7 is x/ }).waitFor()
    assert.equal(await page.getByRole('button', { name: /^B better/, pressed: true }).count(), 1)
    await page.keyboard.press('Enter')
    await page.getByText('7 of').first().waitFor()
    for (let left = 6; left >= 0; left--) {
      await page.keyboard.press('z')
      await page.getByText(`${left} of`).first().waitFor()
    }
    await page.getByRole('region', { name: 'Pair 1', exact: true }).waitFor()
  },
)

void test('nothing went wrong in the page on the way', { skip }, () => {
  assert.deepEqual(browser.errors, [])
})
