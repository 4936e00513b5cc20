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
echo   MOUNT-FOLDER   where the image is mounted: dism.exe /Mount-Image /ImageFile:... /Index:... /MountDir:...
echo   cleanup        afterwards, removes what the update replaced (StartComponentCleanup; takes long)
exit /b 10

:begin
{{demo}}
rem A backslash before the closing quote would swallow it; a bare drive needs its backslash and no quotes.
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
echo Removing what was replaced. This takes long.
"%DISM%" %IMAGE% /Cleanup-Image /StartComponentCleanup /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
if not "%RESULT%"=="0" goto failed
:done
{{done}}
echo Still to do: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Commit
if not defined CLEANUP echo A smaller image: run this script with the word cleanup after the folder, before unmounting.
exit /b 0

:no_image
echo "%MOUNT%" holds no mounted Windows image: Windows\System32 and Windows\servicing must be there.
exit /b 12

:is_pe
echo "%MOUNT%" is a WinPE or WinRE image. This script is for install.wim; those take other files.
exit /b 12

{{wrong_labels}}
:missing
echo The set is not whole, and nothing was changed. Copy the folders of this KB once more, with all their files.
exit /b 16

{{foreign_label}}
:no_tool
echo "%DISM%" is not there; without it nothing can be installed.
exit /b 19

:nothing_applied
echo None of the packages is for this image, and nothing was installed.
echo Most often that is the wrong product, or everything here is already in the image in a newer version.
exit /b 20

:failed
echo.
echo DISM ended with code %RESULT%.{{rest}}
call :advise
echo Its log: "%LOG%"
echo To give the image up: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Discard
exit /b 20

rem ---- What the lines above call -----------------------------------------------------------------------------

rem Adds FILE to the image. OUTCOME: done, not_applicable, or failed; RESULT: DISM's own code.
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
