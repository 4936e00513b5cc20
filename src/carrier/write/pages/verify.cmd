@echo off
rem kbmirror: compares every file under data with the digests in manifest-sha256.txt.
rem Needs only certutil, which is part of Windows. Changes nothing.
rem
rem   verify.cmd          reads every file of the medium, which can take long
rem
rem Exit codes: 0 all files match; 1 some files do not match and are printed; 2 certutil or the manifest is missing, or
rem the manifest does not list any file.
rem
rem This check detects damaged, missing, and additional files. It does not detect an intentional change of a file and the
rem manifest. The signatures detect that: kbmirror check-medium, or minisign -Vm set.json -P KEY with a key that you have.
setlocal EnableExtensions DisableDelayedExpansion
pushd "%~dp0"
if not exist manifest-sha256.txt (
    echo manifest-sha256.txt is missing beside this script.
    popd
    exit /b 2
)
set "CERTUTIL=%SystemRoot%\System32\certutil.exe"
if not exist "%CERTUTIL%" (
    echo certutil.exe is missing on this Windows: use verify.ps1, or kbmirror check-medium.
    popd
    exit /b 2
)
set /a LISTED=0
set /a WRONG=0
for /f "usebackq tokens=1,*" %%A in ("manifest-sha256.txt") do call :one "%%A" "%%B"
if "%LISTED%"=="0" (
    echo manifest-sha256.txt does not list any file.
    popd
    exit /b 2
)
set "ROOT=%CD%\"
if "%CD:~-1%"=="\" set "ROOT=%CD%"
set /a THERE=0
for /f "delims=" %%F in ('dir /s /b /a-d data 2^>nul') do set /a THERE+=1
echo.
if not "%THERE%"=="%LISTED%" (
    echo Files under data: %THERE%. Listed files: %LISTED%. Remove the files that are not listed: DISM also installs files that it finds there.
    set /a WRONG+=1
    for /f "delims=" %%F in ('dir /s /b /a-d data 2^>nul') do (
        set "FILE=%%F"
        call :listed
    )
)
popd
if "%WRONG%"=="0" (
    echo All files match the manifest: %LISTED%.
    exit /b 0
)
echo Faults: %WRONG%. Do not install from this medium.
exit /b 1

rem Prints the file in FILE if the manifest does not list it. The name may contain any character, so it stays in quotes.
:listed
set "KNOWN="
call set "FILE=%%FILE:%ROOT%=%%"
for /f "usebackq tokens=1,*" %%A in ("manifest-sha256.txt") do (
    set "OTHER=%%B"
    call :same
)
if not defined KNOWN echo EXTRA      "%FILE%"
exit /b 0

:same
if /i "%OTHER:/=\%"=="%FILE%" set "KNOWN=1"
exit /b 0

rem Compares a file with its digest. certutil prints in the language of Windows, and old versions print a space between
rem all bytes: the digest is the second line, without spaces.
:one
set /a LISTED+=1
set "FILE=%~2"
set "FILE=%FILE:/=\%"
if not exist "%FILE%" goto :missing
set "FOUND="
for /f "skip=1 delims=" %%H in ('%CERTUTIL% -hashfile "%FILE%" SHA256') do if not defined FOUND set "FOUND=%%H"
if defined FOUND set "FOUND=%FOUND: =%"
if /i "%FOUND%"=="%~1" goto :right
echo DIFFERENT  %FILE%
set /a WRONG+=1
exit /b 0

:right
echo ok         %FILE%
exit /b 0

:missing
echo MISSING    %FILE%
set /a WRONG+=1
exit /b 0
