// The window's own 16-pixel strokes, drawn as the pictures have them. Markup of one <svg viewBox="0 0 16 16">.
export const icons = {
  home: '<path d="M2.5 7.2 8 2.8l5.5 4.4M4 6.3V13h8V6.3M6.7 13V9.5h2.6V13"/>',
  models: '<path d="m8 2 5.5 3L8 8 2.5 5z"/><path d="m2.5 8 5.5 3 5.5-3M2.5 11 8 14l5.5-3"/>',
  data: '<rect x="2.5" y="3" width="11" height="10" rx="1.5"/><path d="M2.5 6.3h11M2.5 9.7h11M6.3 6.3V13"/>',
  train:
    '<path d="M8 14c2.6 0 4.5-1.8 4.5-4.3C12.5 6.5 9.5 5.5 9 2 6.5 3.5 6.3 5.7 6.6 7.3 5.7 7 5.3 6.2 5.2 5.4 4.1 6.6 3.5 8 3.5 9.7 3.5 12.2 5.4 14 8 14z"/>',
  runs: '<path d="M2.5 2.5v11h11"/><path d="M5 5c1 4.5 3.5 5.7 8 6"/>',
  label:
    '<path d="M8 2.5v11"/><path d="M6 4H3.5a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1H6M10 4h2.5a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H10"/>',
  chat: '<path d="M13.5 8c0 2.8-2.5 4.8-5.5 4.8-.8 0-1.6-.1-2.3-.4L2.8 13.3l.8-2.5C2.9 10 2.5 9 2.5 8c0-2.8 2.5-4.8 5.5-4.8s5.5 2 5.5 4.8z"/>',
  settings:
    '<circle cx="8" cy="8" r="2"/><path d="M8 2v1.8M8 12.2V14M2 8h1.8M12.2 8H14M3.8 3.8 5 5M11 11l1.2 1.2M3.8 12.2 5 11M11 5l1.2-1.2"/>',
  sliders:
    '<path d="M2.500 5h5.200M11.300 5h2.200M2.500 11h2.200M8.300 11h5.200"/><circle cx="9.500" cy="5" r="1.800"/><circle cx="6.500" cy="11" r="1.800"/>',
  search: '<circle cx="7" cy="7" r="4.2"/><path d="m10.2 10.2 3.3 3.3"/>',
  check: '<path d="m3.5 8.5 3 3 6-7"/>',
  close: '<path d="m4.5 4.5 7 7M11.5 4.5l-7 7"/>',
  plus: '<path d="M8 3.5v9M3.5 8h9"/>',
  pause: '<path d="M6 4v8M10 4v8"/>',
  play: '<path d="M5.5 3.8v8.4L12.2 8z"/>',
  stop: '<rect x="4.5" y="4.5" width="7" height="7" rx="1"/>',
  warn: '<path d="M8 2.8 14 13H2z"/><path d="M8 6.5v3M8 11.3v.1"/>',
  info: '<circle cx="8" cy="8" r="5.5"/><path d="M8 7.3V11M8 5.2v.1"/>',
  refused: '<circle cx="8" cy="8" r="5.5"/><path d="m4.2 4.2 7.6 7.6"/>',
  clock: '<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3l2 1.5"/>',
  pencil: '<path d="m3 13 .6-2.6L10.800 3.2l2 2L5.6 12.4z"/>',
  arrow: '<path d="M3 8h10M9.5 4.5 13 8l-3.5 3.5"/>',
  down: '<path d="m4.5 6.5 3.5 3.5 3.5-3.5"/>',
  left: '<path d="M9.5 4.5 6 8l3.5 3.5"/>',
  right: '<path d="M6.5 4.5 10 8l-3.5 3.5"/>',
  file: '<path d="M4 2.500h5l3 3v8H4z"/><path d="M9 2.500v3h3"/>',
  folder:
    '<path d="M2.500 4.500a1 1 0 0 1 1-1h3l1.500 1.500h4.500a1 1 0 0 1 1 1v5.500a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1z"/>',
  lock: '<rect x="3.5" y="7" width="9" height="6.5" rx="1.5"/><path d="M5.5 7V5a2.500 2.500 0 0 1 5 0v2"/>',
  undo: '<path d="M5.5 3.5 2.8 6.200l2.700 2.700"/><path d="M3 6.200h6.200a3.600 3.600 0 0 1 0 7.200H6"/>',
  again: '<path d="M12.800 8a4.800 4.800 0 1 1-1.500-3.500"/><path d="M12.800 2.500v2.700h-2.700"/>',
  more: '<path d="M3.5 8h.1M8 8h.1M12.500 8h.1" stroke-width="2"/>',
  columns: '<rect x="2.5" y="3" width="11" height="10" rx="1.5"/><path d="M8 3v10"/>',
  up: '<path d="M5 7.200 7.600 2.800c.9 0 1.600.7 1.600 1.600v2.200h2.900c.7 0 1.200.6 1.100 1.300l-.7 4c-.1.600-.6 1-1.200 1H5z"/><path d="M5 7.200H3v5.700h2"/>',
  thumbDown:
    '<path d="M11 8.800 8.400 13.200c-.9 0-1.600-.7-1.600-1.600V9.400H3.900c-.7 0-1.200-.6-1.100-1.300l.7-4c.1-.6.600-1 1.200-1H11z"/><path d="M11 8.800h2V3.100h-2"/>',
  send: '<path d="M8 13V3M4 7l4-4 4 4"/>',
  trash:
    '<path d="M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500M6.800 7v3.500M9.200 7v3.500"/>',
  copy: '<rect x="5.500" y="5.500" width="7.500" height="7.500" rx="1.200"/><path d="M10.500 3H4.200C3.500 3 3 3.500 3 4.200v6.300"/>',
  note: '<path d="m3 13 .6-2.6L10.800 3.2l2 2L5.6 12.4z"/>',
  keyboard:
    '<rect x="2" y="4" width="12" height="8" rx="1.500"/><path d="M4.500 6.800h.1M7 6.800h.1M9.500 6.800h.1M12 6.800h-.1M5 9.500h6"/>',
  export: '<path d="M8 10V2.500M5 5.300l3-2.800 3 2.800M3 9.500v3.500h10V9.500"/>',
} as const
export type IconName = keyof typeof icons
