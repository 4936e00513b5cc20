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
set "CLEANUP=%~2"
if "%~1"=="" goto usage
if not defined CLEANUP goto begin
if /i "%CLEANUP%"=="cleanup" goto begin
:usage
echo Usage: "%~nx0" MOUNT-FOLDER [cleanup]
echo   MOUNT-FOLDER   folder of the mounted image: dism.exe /Mount-Image /ImageFile:... /Index:... /MountDir:...
echo   cleanup        removes replaced components afterwards (StartComponentCleanup; takes long)
exit /b 10

:begin
{{demo}}
rem A backslash before the closing quote would escape the quote. A drive needs its backslash and no quotes.
if "%MOUNT:~-1%"=="\" set "MOUNT=%MOUNT:~0,-1%"
set IMAGE=/Image:"%MOUNT%"
if "%MOUNT:~1%"==":" set "IMAGE=/Image:%MOUNT%\"
if not exist "%MOUNT%\Windows\System32\" goto no_image
if not exist "%MOUNT%\Windows\servicing\" goto no_image
if exist "%MOUNT%\Windows\System32\winpeshl.exe" if not exist "%MOUNT%\Windows\explorer.exe" goto is_pe
{{architecture}}
{{family}}
if not exist "%DISM%" goto no_tool
set "MISSING="
{{files}}
if defined MISSING goto missing
{{foreign}}

set "APPLIED="
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
echo Still to do: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Commit
if not defined CLEANUP echo For a smaller image: before unmounting, run this script with the word cleanup after the folder.
exit /b 0

:no_image
echo "%MOUNT%" does not contain a mounted Windows image: Windows\System32 or Windows\servicing is missing.
exit /b 12

:is_pe
echo "%MOUNT%" is a WinPE or WinRE image. This script is for install.wim; WinPE and WinRE need other files.
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

rem Adds FILE to the image. OUTCOME: done, not_applicable, or failed; RESULT: the code of DISM.
:add
for %%F in ("%FILE%") do set "FILE=%%~fF"
"%DISM%" %IMAGE% /Add-Package /PackagePath:"%FILE%" /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
set "OUTCOME=failed"
if "%RESULT%"=="0" set "OUTCOME=done"
if "%RESULT%"=="3010" set "OUTCOME=done"
for %%C in ({{not_applicable}}) do if "%RESULT%"=="%%C" set "OUTCOME=not_applicable"
if "%OUTCOME%"=="done" set "APPLIED=1"
exit /b 0

{{advice}}
