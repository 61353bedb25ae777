// The first-run path in a real browser on the real core: import, train, watch, reload in the middle, label ten pairs by
// keyboard alone, train DPO on them, chat, and compare two checkpoints. One library, one story, in the order of a person.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { questionSet, sampleLine } from '../../src-main/world/datasets.ts'
import { makeWorld, splitPeople } from '../../src-main/world/people.ts'
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

void test('the token leaves the address, and the starter is there', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  await page.getByRole('heading', { name: 'Make a small model your own' }).waitFor()
  assert.ok(!page.url().includes('t='), 'the token is not left in the address bar')
  await page.getByRole('heading', { name: 'Starter' }).waitFor()
})

void test('a file is chosen, shown as it is read, and imported', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  const file = join(home, 'people.jsonl')
  const rows = questionSet(splitPeople(makeWorld(), 3).train, { seed: 3 })
  writeFileSync(
    file,
    rows.map((row) => sampleLine(row) + '\n').join('') + '{"messages": [{"role": "user", "content": "Who?"}]}\n',
  )
  const chooser = page.waitForEvent('filechooser')
  await page.keyboard.press('Control+i')
  await (await chooser).setFiles(file)
  await page.getByText('Chat messages, as OpenAI writes them').first().waitFor()
  await page
    .getByRole('button', { name: /^Import/ })
    .last()
    .click()
  await page.getByRole('heading', { name: 'people', exact: true }).waitFor()
  await page.getByRole('tab', { name: /Refused\s*1/ }).waitFor()
})

void test(
  'training is planned, started, watched, and outlives a reload of the page',
  { skip, timeout: 240_000 },
  async () => {
    const { page } = browser
    await page.getByRole('link', { name: 'Train on this' }).click()
    await page.getByRole('heading', { name: 'New training' }).waitFor()
    const steps = page.getByRole('textbox', { name: 'Steps' })
    await steps.fill('0.5')
    await page.getByText('must be a whole number').first().waitFor()
    await steps.fill('80')
    await page.getByText('for 80 steps').waitFor()
    await page
      .getByRole('button', { name: /Start training/ })
      .and(page.locator(':enabled'))
      .waitFor()
    await page.keyboard.press('Control+Enter')
    await page.getByRole('link', { name: 'All runs' }).waitFor()
    await page.waitForFunction(() => /Step\s*[1-9]/.test(document.querySelector('.stats')?.textContent ?? ''))
    const before = page.url()
    await page.reload()
    assert.equal(page.url(), before)
    await page.locator('canvas').first().waitFor()
    await page.waitForFunction(() => /of 80/.test(document.querySelector('.stats')?.textContent ?? ''))
    await page.getByText('finished').first().waitFor({ timeout: 180_000 })
    assert.ok((await page.getByRole('link', { name: 'Label' }).count()) > 1, 'its checkpoints can be labelled')
  },
)

void test(
  'ten pairs are made and judged by keyboard alone, and one is taken back',
  { skip, timeout: 120_000 },
  async () => {
    const { page } = browser
    await goTo('#/label/new')
    await page.getByRole('button', { name: /^Make \d+ pairs|^Make pairs/ }).waitFor()
    await page.getByRole('textbox', { name: 'Pairs' }).fill('12')
    await page.getByRole('button', { name: /^Make/ }).click()
    await page.getByRole('button', { name: /A much better/ }).waitFor({ timeout: 60_000 })
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press(['2', '6', '1', '7', '3'][i % 5]!)
      if (i % 3 === 0) await page.keyboard.press('q')
      await page.keyboard.press('Enter')
      await page
        .getByText(`${i + 1} of`)
        .first()
        .waitFor()
    }
    await page.keyboard.press('z')
    await page.getByText('9 of').first().waitFor()
    await page.keyboard.press('5')
    await page.keyboard.press('Enter')
    await page.getByText('10 of').first().waitFor()
  },
)

void test('DPO is trained on the judgements', { skip, timeout: 180_000 }, async () => {
  const { page } = browser
  await page
    .getByRole('button', { name: /^Train on \d+ pairs?/ })
    .or(page.getByRole('link', { name: /^Train on \d+ pairs?/ }))
    .click()
  await page.getByRole('heading', { name: 'New training' }).waitFor()
  await page.getByRole('button', { name: 'DPO', pressed: true }).waitFor()
  await page.getByRole('textbox', { name: 'Steps' }).fill('6')
  await page.getByText('for 6 steps').waitFor()
  await page.keyboard.press('Control+Enter')
  await page.getByText('finished').first().waitFor({ timeout: 120_000 })
  await page.getByText('Margin').first().waitFor()
})

void test('the tuned model answers in chat, and a thumb is kept as a label', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  await goTo('#/chat/new')
  const composer = page.getByRole('textbox', { name: 'Message' })
  await composer.fill('Where does Kelric live? **bold** <img src=x onerror="window.hostile=1">')
  await composer.press('Enter')
  await page.getByRole('article').last().getByRole('button', { name: 'Good answer' }).waitFor()
  assert.equal(await page.evaluate(() => (window as { hostile?: number }).hostile), undefined)
  await page.getByRole('article').last().getByRole('button', { name: 'Good answer' }).click()
  await page.getByRole('article').last().getByRole('button', { name: 'Good answer', pressed: true }).waitFor()
})

void test('two checkpoints answer the same question side by side', { skip, timeout: 60_000 }, async () => {
  const { page } = browser
  await goTo('#/runs')
  await page.getByRole('table').getByRole('link').last().click()
  await page.getByRole('link', { name: 'Compare in chat' }).click()
  const composer = page.getByRole('textbox', { name: 'Message' })
  await composer.fill('What is 2 + 3?')
  await composer.press('Enter')
  await page.waitForFunction(
    () =>
      document.querySelectorAll('article button[aria-label="Good answer"], article button[title^="Good answer"]')
        .length >= 2,
  )
})

void test('nothing went wrong in the page on the way', { skip }, () => {
  assert.deepEqual(browser.errors, [])
})
