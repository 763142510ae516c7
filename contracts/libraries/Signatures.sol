// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures of accounts with and without code
/// @notice One way to ask whether an account signed.
library Signatures {
    /// @notice Whether the signature is the signer's: its ECDSA signature, or one that its code accepts (ERC-1271).
    /// @dev ECDSA first, whether or not the signer has code: an EIP-7702 account has code, and neither a delegate that
    /// refuses nor one that misbehaves may take the kill away from the account's own key.
    /// @param signer whose signature it should be
    /// @param digest what was signed
    /// @param signature 65 bytes, or what the signer's code understands
    /// @return whether it is
    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError err, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return
            signer.code.length > 0 &&
            SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
