// Where the window begins: connect to the core, start the shared state, mount the frame.
import './look/tokens.css'
import './look/components.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { api } from './api.ts'
import { startState } from './state/start.svelte.ts'

document.documentElement.dataset.shell = api.connect().shell
startState()
mount(App, { target: document.getElementById('app')! })
