@echo off
rem The packaged application's command line: Electron's own Node runs the same bundle, without a window.
setlocal
set ELECTRON_RUN_AS_NODE=1
"%~dp0..\..\Temper.exe" "%~dp0..\app.asar\out\main\cli.js" %*
