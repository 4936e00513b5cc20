/* Replaces dism.exe and wusa.exe under Wine: records its command line, and exits with the next code of a list.
   C:\dism-calls.txt gets the command line; C:\dism-answers.txt has the exit codes, one per line. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <windows.h>

int main(void) {
    const char *line = GetCommandLineA();
    FILE *calls = fopen("C:\\dism-calls.txt", "a");
    if (calls) { fprintf(calls, "%s\n", line); fclose(calls); }
    if (strstr(line, "/?")) {
        printf("\r\nDeployment Image Servicing and Management tool\r\nVersion: 10.0.26100.1150\r\n\r\n");
        return 0;
    }
    if (strstr(line, "/Get-Packages")) {
        printf("Deployment Image Servicing and Management tool\r\nVersion: 10.0.26100.1150\r\n\r\n"
               "Image Version: 10.0.26100.863\r\n\r\nPackages listing:\r\n\r\n"
               "Package Identity | State | Release Type | Install Time\r\n---- | ---- | ---- | ----\r\n"
               "Package_for_KB5039239~31bf3856ad364e35~amd64~~10.0.1.2 | Installed | Update | 6/1/2026 1:02 PM\r\n"
               "Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.863.1.11 | Superseded | Security Update | 6/1/2026\r\n");
        return 0;
    }
    printf("[==========================100.0%%==========================]\r\n");
    char codes[64][32];
    int count = 0;
    FILE *answers = fopen("C:\\dism-answers.txt", "r");
    if (!answers) return 0;
    while (count < 64 && fgets(codes[count], sizeof codes[0], answers)) count++;
    fclose(answers);
    if (!count) return 0;
    answers = fopen("C:\\dism-answers.txt", "w");
    for (int next = 1; answers && next < count; next++) fputs(codes[next], answers);
    if (answers) fclose(answers);
    /* The exit code of the process: 32 bits that the caller interprets. */
    ExitProcess((UINT)strtoul(codes[0], NULL, 0));
}
