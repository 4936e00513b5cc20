@echo off
{{header}}
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of this name would hide the exit codes.
set "ERRORLEVEL="
set "HERE=%~dp0"
set "SYSTEM=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\reg.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "DISM=%SYSTEM%\dism.exe"
if defined KBMIRROR_DISM set "DISM=%KBMIRROR_DISM%"
set "LOG=%TEMP%\kbmirror-{{kb}}-image.log"

echo {{kb}}: {{subject}}
set "MOUNT=%~f1"
{{arguments}}
if "%~1"=="" goto usage
if not defined CLEANUP goto begin
if /i "%CLEANUP%"=="cleanup" goto begin
:usage
{{usage}}
echo   MOUNT-FOLDER   folder of the mounted {{place}}: dism.exe /Mount-Image /ImageFile:... /Index:... /MountDir:...
{{usage_stack}}
echo   cleanup        removes replaced components afterwards (StartComponentCleanup; takes long)
exit /b 10

:begin
{{demo}}
rem A backslash before the closing quote would escape the quote. A drive needs its backslash and no quotes.
if "%MOUNT:~-1%"=="\" set "MOUNT=%MOUNT:~0,-1%"
set IMAGE=/Image:"%MOUNT%"
if "%MOUNT:~1%"==":" set "IMAGE=/Image:%MOUNT%\"
if /i "%MOUNT%\Windows"=="%SystemRoot%" goto is_running
if not exist "%MOUNT%\Windows\System32\" goto no_image
if not exist "%MOUNT%\Windows\servicing\" goto no_image
call :kind
if not "%KIND%"=="{{place}}" goto wrong_place
{{architecture}}
{{family}}
if not exist "%DISM%" goto no_tool
set "MISSING="
{{files}}
if defined MISSING goto missing
{{foreign}}
{{stack_check}}

set "APPLIED="
{{stack_step}}
{{steps}}
:finished
echo.
if not defined APPLIED goto nothing_applied
if not defined CLEANUP goto done
echo Removing replaced components. This takes long.
"%DISM%" %IMAGE% /Cleanup-Image /StartComponentCleanup /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
if not "%RESULT%"=="0" goto failed
:done
{{done}}
{{notes}}
echo Still to do: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Commit
{{after}}
if not defined CLEANUP echo For a smaller image: before unmounting, run this script with the word cleanup after the folder.
exit /b 0

:no_image
echo "%MOUNT%" does not contain a mounted Windows image: Windows\System32 or Windows\servicing is missing.
exit /b 12

:wrong_place
if "%KIND%"=="unknown" echo "%MOUNT%" has marks of both boot.wim and winre.wim.
if not "%KIND%"=="unknown" echo "%MOUNT%" contains %KIND%.
echo This script is for {{place}}, and other images take other packages. Nothing was changed.
echo To see what an image takes: kbmirror resolve {{kb}} --for image, --for winpe, or --for winre
exit /b 12

:is_running
echo "%MOUNT%" is the running Windows. This script is for a mounted {{place}}. Nothing was changed.
echo For a running machine: kbmirror script {{kb}} --for online
exit /b 12

{{wrong_labels}}
:missing
echo The set is incomplete. Nothing was changed. Copy the folders of this KB again, with all their files.
exit /b 16

{{foreign_label}}
:no_tool
echo "%DISM%" is missing; nothing can be installed without it.
exit /b 19

:nothing_applied
echo None of the packages applies to this image. Nothing was installed.
echo The most frequent reasons: the wrong product, or the image already contains newer versions.
exit /b 20

:failed
echo.
echo DISM ended with code %RESULT%.{{rest}}
call :advise
echo Log: "%LOG%"
echo To unmount without keeping the changes: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Discard
exit /b 20

rem ---- Subroutines -------------------------------------------------------------------------------------------

rem Writes the kind of the image to KIND: install.wim, boot.wim, winre.wim, or unknown. The second image of boot.wim
rem contains Setup and also the tools of recovery, winre.wim only these.
:kind
set "KIND=install.wim"
if exist "%MOUNT%\Windows\explorer.exe" exit /b 0
set "SETUP="
if exist "%MOUNT%\setup.exe" set "SETUP=1"
if exist "%MOUNT%\sources\setup.exe" set "SETUP=1"
if exist "%MOUNT%\Windows\servicing\Packages\WinPE-Setup-Package~*.mum" set "SETUP=1"
set "RECOVERY="
if exist "%MOUNT%\sources\recovery\" set "RECOVERY=1"
if exist "%MOUNT%\Windows\servicing\Packages\WinPE-Rejuv-Package~*.mum" set "RECOVERY=1"
set "STARTS_RECOVERY="
set "INI=%MOUNT%\Windows\System32\winpeshl.ini"
if exist "%INI%" for /f "usebackq delims=," %%L in ("%INI%") do if /i "%%~nxL"=="recenv.exe" set "STARTS_RECOVERY=1"
if exist "%MOUNT%\Windows\System32\winpeshl.exe" set "KIND=boot.wim"
if exist "%MOUNT%\Windows\System32\winpeshl.ini" set "KIND=boot.wim"
if exist "%MOUNT%\Windows\System32\startnet.cmd" set "KIND=boot.wim"
if defined SETUP set "KIND=boot.wim"
if defined RECOVERY if not defined SETUP set "KIND=winre.wim"
if not defined STARTS_RECOVERY exit /b 0
set "KIND=winre.wim"
if defined SETUP set "KIND=unknown"
exit /b 0

rem Adds FILE to the image. OUTCOME: done, not_applicable, or failed; RESULT: the code of DISM.
:add
for %%F in ("%FILE%") do set "FILE=%%~fF"
{{isolate}}
"%DISM%" %IMAGE% /Add-Package /PackagePath:"%FILE%" /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
{{isolate_end}}
set "OUTCOME=failed"
if "%RESULT%"=="0" set "OUTCOME=done"
if "%RESULT%"=="3010" set "OUTCOME=done"
for %%C in ({{not_applicable}}) do if "%RESULT%"=="%%C" set "OUTCOME=not_applicable"
if "%OUTCOME%"=="done" set "APPLIED=1"
exit /b 0

{{isolate_sub}}
{{advice}}
