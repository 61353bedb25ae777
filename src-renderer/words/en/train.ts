// Sentences of the Train page.
export const train = {
  title: 'Train',
}
