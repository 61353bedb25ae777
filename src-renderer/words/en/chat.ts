// Sentences of the Chat page.
export const chat = {
  title: 'Chat',
}
