@echo off
rem kbmirror: records the identity of this machine for kbmirror resolve --host FILE.
rem
rem   collect.cmd [FILE]     the default is a file beside this script, named after the computer
rem
rem Windows 7 to 11 and their servers. Installs nothing and changes nothing. With administrator rights, the script also
rem lists the packages with DISM; otherwise it uses only the registry. The file is text, one key=value per line.
rem
rem Exit codes:
rem   0    the file was written
rem   1    the file could not be written
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of this name would hide the exit codes.
set "ERRORLEVEL="
set "DIRCMD="
rem A 32-bit prompt on 64-bit Windows sees 32-bit tools; the 64-bit tools are in Sysnative.
set "SYSTEM=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\reg.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "KEY=HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
set "CBS=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
set "WU=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
set "ENVIRONMENT=HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"

set "OUT=%~f1"
if "%~1"=="" set "OUT=%~dp0%COMPUTERNAME%-kbmirror.txt"
call :create
if defined CREATED goto collect
rem A stick may be write-protected.
if not "%~1"=="" goto no_file
set "OUT=%TEMP%\%COMPUTERNAME%-kbmirror.txt"
call :create
if not defined CREATED goto no_file

:collect
echo Collecting, which takes up to a minute ...
>>"%OUT%" echo computer=%COMPUTERNAME%
call :value current_build "%KEY%" CurrentBuild
set "BUILD=%VALUE%"
call :number ubr "%KEY%" UBR
if defined NUMBER >>"%OUT%" echo build=%BUILD%.%NUMBER%
call :value csd_version "%KEY%" CSDVersion
call :value build_lab_ex "%KEY%" BuildLabEx
call :value display_version "%KEY%" DisplayVersion
call :value architecture "%ENVIRONMENT%" PROCESSOR_ARCHITECTURE
call :value installation_type "%KEY%" InstallationType
call :value edition "%KEY%" EditionID
call :number dotnet_release "HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full" Release

set "ELEVATED=no"
"%SYSTEM%\reg.exe" query "HKU\S-1-5-19" >nul 2>&1
if "%errorlevel%"=="0" set "ELEVATED=yes"
>>"%OUT%" echo elevated=%ELEVATED%

set "PENDING=no"
"%SYSTEM%\reg.exe" query "%CBS%\RebootPending" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=yes"
"%SYSTEM%\reg.exe" query "%WU%\RebootRequired" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=yes"
if exist "%SystemRoot%\WinSxS\pending.xml" set "PENDING=yes"
>>"%OUT%" echo pending_restart=%PENDING%

rem The third word in the last line of dir is the number of free bytes, in every language.
set "FREE="
for /f "tokens=3" %%A in ('dir /-c /a "%SystemDrive%\" 2^>nul') do set "FREE=%%A"
if defined FREE for /f "delims=0123456789" %%A in ("%FREE%") do set "FREE="
if defined FREE >>"%OUT%" echo free_bytes=%FREE%

rem The registry shows the state of a package without administrator rights: 0x70 is installed.
for /f "delims=" %%K in ('%SYSTEM%\reg.exe query "%CBS%\Packages" 2^>nul ^| %SYSTEM%\find.exe "\Package_for_"') do for /f "tokens=1,3" %%S in ('%SYSTEM%\reg.exe query "%%K" /v CurrentState 2^>nul') do if /i "%%S"=="CurrentState" >>"%OUT%" echo package=%%~nxK;%%T
rem Newer versions of Windows have no wmic.
if exist "%SYSTEM%\wbem\wmic.exe" for /f %%H in ('%SYSTEM%\wbem\wmic.exe qfe get HotFixID 2^>nul ^| %SYSTEM%\find.exe "KB"') do >>"%OUT%" echo qfe=%%H

if "%ELEVATED%"=="no" goto written
if not exist "%SYSTEM%\dism.exe" goto written
set "VERSION="
for /f "tokens=2" %%V in ('%SYSTEM%\dism.exe /English /? 2^>nul ^| %SYSTEM%\find.exe "Version:"') do if not defined VERSION set "VERSION=%%V"
if defined VERSION >>"%OUT%" echo dism_version=%VERSION%
for /f "delims=" %%L in ('%SYSTEM%\dism.exe /Online /English /Get-Packages /Format:Table 2^>nul ^| %SYSTEM%\find.exe "~"') do >>"%OUT%" echo dism_package=%%L

:written
echo Written: "%OUT%"
if "%ELEVATED%"=="no" echo This prompt has no administrator rights; run as administrator to add the package list of DISM.
echo Copy the file to the mirror: kbmirror resolve KB... --host FILE
exit /b 0

:no_file
echo "%OUT%" cannot be written. Give another file: "%~nx0" C:\somewhere\file.txt
exit /b 1

rem Creates the file; sets CREATED on success.
:create
set "CREATED="
if exist "%OUT%" del /f /q "%OUT%" >nul 2>&1
if exist "%OUT%" exit /b 0
>"%OUT%" echo format=1
if exist "%OUT%" set "CREATED=1"
exit /b 0

rem Reads value %2 of key %1 into VALUE, which stays empty if the value is missing.
:read
set "VALUE="
for /f "tokens=1,2,*" %%A in ('%SYSTEM%\reg.exe query "%~1" /v %2 2^>nul') do if /i "%%A"=="%2" set "VALUE=%%C"
exit /b 0

rem Writes value %3 of key %2 as %1.
:value
call :read "%~2" %3
if defined VALUE >>"%OUT%" echo %1=%VALUE%
exit /b 0

rem Does the same for a number, which the registry shows in hexadecimal.
:number
call :read "%~2" %3
set "NUMBER="
if defined VALUE set /a "NUMBER=%VALUE%"
if defined NUMBER >>"%OUT%" echo %1=%NUMBER%
exit /b 0
