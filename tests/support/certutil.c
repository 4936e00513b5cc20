/* Replaces certutil.exe under Wine: prints `-hashfile FILE SHA256` in the form of an old German Windows, with a space
   between all bytes. */
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <wincrypt.h>

int main(int count, char **words) {
    if (count != 4 || strcmp(words[1], "-hashfile") || strcmp(words[3], "SHA256")) return 1;
    FILE *file = fopen(words[2], "rb");
    HCRYPTPROV provider;
    HCRYPTHASH hash;
    if (!file || !CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_AES, CRYPT_VERIFYCONTEXT)
        || !CryptCreateHash(provider, CALG_SHA_256, 0, 0, &hash)) return 1;
    static unsigned char piece[65536], digest[32];
    DWORD size = sizeof digest;
    size_t length;
    while ((length = fread(piece, 1, sizeof piece, file)) > 0) CryptHashData(hash, piece, (DWORD)length, 0);
    if (!CryptGetHashParam(hash, HP_HASHVAL, digest, &size, 0)) return 1;
    printf("SHA256-Hash der Datei %s:\r\n", words[2]);
    for (int place = 0; place < 32; place++) printf(place ? " %02x" : "%02x", digest[place]);
    printf("\r\nCertUtil: -hashfile-Befehl wurde erfolgreich ausgef\x81hrt.\r\n");
    return 0;
}
