// Special tokens as short words: "<|im_start|>" -> "im_start".

export function plain(text: string): string {
  return text.replace(/^<\|?(.+?)\|?>$/s, '$1').replace(/^\[(.+)\]$/, '$1')
}
