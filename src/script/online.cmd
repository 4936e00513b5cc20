@echo off
{{header}}
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of this name would hide the exit codes.
set "ERRORLEVEL="
set "DIRCMD="
set "HERE=%~dp0"
rem A 32-bit prompt on 64-bit Windows sees 32-bit tools; the 64-bit tools are in Sysnative.
set "SYSTEM=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\reg.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "LOG=%SystemRoot%\Logs\kbmirror-{{kb}}.log"
if not exist "%SystemRoot%\Logs\" set "LOG=%TEMP%\kbmirror-{{kb}}.log"
set "KEY=HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
set "CBS=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
set "WU=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"

echo {{kb}}: {{subject}}
set "PHASE=%~1"
if not defined PHASE set "PHASE=next"
if /i "%PHASE%"=="next" goto begin
if /i "%PHASE%"=="install" goto begin
if /i "%PHASE%"=="check" goto begin
if exist "%~f1\Windows\System32\" goto is_folder
echo Usage: "%~nx0" [install / check]
echo   install   installs the missing packages
echo   check     reports whether {{kb}} is installed; changes nothing
echo   (none)    checks, and installs if something is missing
exit /b 10

:begin
{{demo}}
call :state
echo This machine: build %BUILD%%DOT_UBR%, %INSTALLATION%, edition %EDITION%, %MACHINE%
if /i "%INSTALLATION%"=="WindowsPE" goto is_pe
{{family}}
{{architecture}}
{{installed}}
if /i "%PHASE%"=="check" goto not_installed
{{editions}}

"%SYSTEM%\reg.exe" query "HKU\S-1-5-19" >nul 2>&1
if not "%errorlevel%"=="0" goto not_elevated
call :pending
if defined PENDING goto restart_first
if not exist "{{tool}}" goto no_tool
set "MISSING="
{{files}}
if defined MISSING goto missing
{{foreign}}
{{space}}

set "APPLIED="
set "RESTART="
{{steps}}
:finished
echo.
if not defined APPLIED goto nothing_applied
call :pending
if defined PENDING set "RESTART=1"
{{result}}

{{installed_label}}
:not_installed
call :pending
if defined PENDING goto restart_first
{{not_installed}}

:restart_now
echo.
echo Step done. The next step needs a restart: restart this machine, then run this script again.
echo To restart now: shutdown /r /t 0
exit /b 3010

:restart_first
echo Windows waits for a restart (%PENDING%).
echo Nothing was changed. Restart this machine, then run this script again.
echo To restart now: shutdown /r /t 0
exit /b 3010

:not_elevated
echo This prompt has no administrator rights. Nothing was changed.
echo Open a command prompt with "Run as administrator" and run this script there.
exit /b 11

:is_pe
echo This is WinPE or WinRE, and this script is for an installed Windows. Nothing was changed.
echo To see what an image takes: kbmirror resolve {{kb}} --for winpe or --for winre
exit /b 12

:is_folder
echo "%~f1" contains an image or another Windows. This script is for the running machine. Nothing was changed.
echo To see what an image takes: kbmirror resolve {{kb}} --for image, --for winpe, or --for winre
exit /b 12

{{wrong_labels}}
:missing
echo The set is incomplete. Nothing was changed. Copy the folders of this KB again, with all their files.
exit /b 16

{{foreign_label}}
:no_tool
echo "{{tool}}" is missing; nothing can be installed without it.
exit /b 19

:nothing_applied
echo None of the packages applies to this machine. Nothing was installed.
echo The most frequent reasons: the wrong product, or newer versions are already installed.
exit /b 20

:failed
echo.
echo %INSTALLER% ended with code %RESULT%.{{rest}}
call :advise
if "%INSTALLER%"=="DISM" echo Log: "%LOG%"
if "%INSTALLER%"=="wusa" echo Log: Event Viewer, Windows Logs, Setup
echo Details: "%SystemRoot%\Logs\CBS\CBS.log"
exit /b 20

rem ---- Subroutines -------------------------------------------------------------------------------------------

rem Reads value %2 of key %1 into VALUE, which stays empty if the value is missing.
:read
set "VALUE="
for /f "tokens=1,2,*" %%A in ('%SYSTEM%\reg.exe query "%~1" /v %2 2^>nul') do if /i "%%A"=="%2" set "VALUE=%%C"
exit /b 0

rem Reads the identity of this machine. The architecture comes from the registry, because this prompt may be emulated.
:state
call :read "%KEY%" CurrentBuild
set "BUILD=%VALUE%"
if not defined BUILD set "BUILD=unknown"
call :read "%KEY%" UBR
set "UBR=0"
set "DOT_UBR="
if defined VALUE set /a "UBR=%VALUE%"
if defined VALUE set "DOT_UBR=.%UBR%"
call :read "%KEY%" InstallationType
set "INSTALLATION=%VALUE%"
if not defined INSTALLATION set "INSTALLATION=unknown"
rem Only WinPE and WinRE have this key while they run.
"%SYSTEM%\reg.exe" query "HKLM\SYSTEM\CurrentControlSet\Control\MiniNT" >nul 2>&1
if "%errorlevel%"=="0" set "INSTALLATION=WindowsPE"
call :read "%KEY%" EditionID
set "EDITION=%VALUE%"
if not defined EDITION set "EDITION=unknown"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" PROCESSOR_ARCHITECTURE
set "MACHINE=%VALUE%"
if not defined MACHINE set "MACHINE=%PROCESSOR_ARCHITECTURE%"
exit /b 0

rem Writes the source of a pending restart to PENDING.
:pending
set "PENDING="
"%SYSTEM%\reg.exe" query "%CBS%\RebootPending" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=servicing"
"%SYSTEM%\reg.exe" query "%WU%\RebootRequired" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=Windows Update"
if exist "%SystemRoot%\WinSxS\pending.xml" set "PENDING=pending.xml"
exit /b 0

{{space_sub}}
{{find_sub}}
rem Installs FILE. OUTCOME: done, restart, not_applicable, or failed; RESULT: the code of the installer.
:add
for %%F in ("%FILE%") do set "FILE=%%~fF"
{{add}}
rem Success codes: 2359302 is 0x240006 (already installed), 2359301 is 0x240005 (installed, restart required).
set "OUTCOME=failed"
if "%RESULT%"=="0" set "OUTCOME=done"
if "%RESULT%"=="2359302" set "OUTCOME=done"
if "%RESULT%"=="3010" set "OUTCOME=restart"
if "%RESULT%"=="1641" set "OUTCOME=restart"
if "%RESULT%"=="2359301" set "OUTCOME=restart"
for %%C in ({{not_applicable}}) do if "%RESULT%"=="%%C" set "OUTCOME=not_applicable"
if "%RESULT%"=="2359302" echo   The package is already installed.
if "%OUTCOME%"=="done" set "APPLIED=1"
if "%OUTCOME%"=="restart" set "APPLIED=1"
if "%OUTCOME%"=="restart" set "RESTART=1"
exit /b 0

{{advice}}
