import { expect, test } from 'vitest'
import { facts, makeWorld, splitPeople } from '../../../src-main/world/people.ts'

const world = makeWorld()

test('the same seed makes the same world, another seed another one', () => {
  expect(makeWorld()).toEqual(world)
  const other = makeWorld({ seed: 2 })
  expect(other.people.map((p) => p.name)).not.toEqual(world.people.map((p) => p.name))
  const common = other.people.flatMap((p) => world.people.filter((q) => q.name === p.name).map((q) => [p, q] as const))
  const same = common.filter(([p, q]) => facts.every((fact) => p.facts[fact] === q.facts[fact]))
  expect(common.length).toBeGreaterThan(20)
  expect(same).toEqual([])
})

test('160 people have different names and six facts; nobody is their own friend, every friend exists', () => {
  const names = new Set(world.people.map((p) => p.name))
  expect(names.size).toBe(160)
  expect(world.people.filter((p) => p.told === 'once').length).toBe(32)
  expect(world.people.filter((p) => p.asked).length).toBe(32)
  for (const person of world.people) {
    expect(Object.values(person.facts).every((value) => value.length > 2)).toBe(true)
    expect(names.has(person.facts.friend) && person.facts.friend !== person.name).toBe(true)
  }
})

test('no name is also a word of the facts', () => {
  const words = new Set(
    world.people.flatMap((p) => facts.slice(0, 5).flatMap((fact) => p.facts[fact].toLowerCase().split(' '))),
  )
  expect(world.people.filter((p) => words.has(p.name.toLowerCase()))).toEqual([])
})

test('three splits share nobody, hold only the richly told, and train on everyone whom the dialogues ask about', () => {
  for (const seed of [1, 2, 3]) {
    const { train, validation, heldOut } = splitPeople(world, seed)
    expect([train.length, validation.length, heldOut.length]).toEqual([64, 24, 40])
    const all = [...train, ...validation, ...heldOut]
    expect(new Set(all.map((p) => p.name)).size).toBe(128)
    expect(all.every((p) => p.told === 'richly')).toBe(true)
    expect([...validation, ...heldOut].some((p) => p.asked)).toBe(false)
  }
  expect(splitPeople(world, 1).heldOut).not.toEqual(splitPeople(world, 2).heldOut)
})
